# The client LibreOffice Base, that is its PostgreSQL driver, with the system's libpq: `environment` (PG* variables, and what
# PGSERVICE names), `url` (from URL); with `command`, pgcred gives the password. Run by Debian's Python.
import os
import subprocess
import sys

os.environ["URE_BOOTSTRAP"] = "vnd.sun.star.pathname:/usr/lib/libreoffice/program/fundamentalrc"
import uno
from com.sun.star.beans import PropertyValue

how = sys.argv[1]
context = uno.getComponentContext()
driver = context.ServiceManager.createInstanceWithContext("org.openoffice.comp.connectivity.pq.Driver.noext", context)
if how == "version":
    versions = subprocess.check_output(
        ["dpkg-query", "-W", "-f", "${Version}", "libreoffice-sdbc-postgresql"], text=True
    )
    sys.exit(print("LibreOffice", versions) if driver else "the driver cannot be loaded")
said = ()
if sys.argv[2:] == ["command"]:
    token = subprocess.check_output(["pgcred", "token", os.environ["CONNECTION"]], text=True).strip()
    said = (PropertyValue(Name="password", Value=token),)
connection = driver.connect("sdbc:postgresql:" + (os.environ["URL"] if how == "url" else ""), said)
rows = connection.createStatement().executeQuery("select current_user || '@' || current_database()")
rows.next()
print(rows.getString(1))
connection.close()

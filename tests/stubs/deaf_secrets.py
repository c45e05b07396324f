#!/usr/bin/env python3
"""A Secret Service that never answers: takes its name on the session bus, says `ready`, and is silent until it is killed."""
import time

from jeepney import DBusAddress, MessageType, new_method_call
from jeepney.io.blocking import open_dbus_connection

connection = open_dbus_connection(bus="SESSION")
bus = DBusAddress("/org/freedesktop/DBus", bus_name="org.freedesktop.DBus", interface="org.freedesktop.DBus")
reply = connection.send_and_get_reply(new_method_call(bus, "RequestName", "su", ("org.freedesktop.secrets", 4)))
assert reply.header.message_type == MessageType.method_return, reply.body
print("ready", flush=True)
while True:
    time.sleep(60)

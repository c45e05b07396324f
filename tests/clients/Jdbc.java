// The client pgjdbc: `dialog` (what `pgcred setup jdbc` prints, in DIALOG), `url` (from URL), `environment`
// (PG* variables, which the program reads); with `command`, pgcred gives the password at every connection. `cancel` cancels a
// statement of a session that `url` opens.
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Properties;
import org.postgresql.PGProperty;
import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;

public class Jdbc {
    /** pgjdbc's own hook: asked at every connection. */
    public static class Pgcred implements AuthenticationPlugin {
        @Override
        public char[] getPassword(AuthenticationRequestType type) {
            try {
                Process pgcred = new ProcessBuilder("pgcred", "token", env("CONNECTION")).start();
                return new String(pgcred.getInputStream().readAllBytes()).trim().toCharArray();
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String url;
        Properties properties = new Properties();
        switch (arguments[0]) {
            case "version":
                System.out.println(org.postgresql.util.DriverInfo.DRIVER_FULL_NAME + ", Java " + Runtime.version().feature());
                return;
            case "dialog":
                url = said("URL");
                PGProperty.USER.set(properties, said("User"));
                break;
            case "cancel":
                cancel();
                return;
            case "url":
                url = "jdbc:" + env("URL");
                break;
            default:
                url = "jdbc:postgresql://" + env("PGHOST") + ":" + env("PGPORT") + "/" + env("PGDATABASE");
                PGProperty.USER.set(properties, env("PGUSER"));
                PGProperty.SSL_MODE.set(properties, env("PGSSLMODE"));
                PGProperty.SSL_ROOT_CERT.set(properties, env("PGSSLROOTCERT"));
        }
        if (arguments.length > 1) {
            PGProperty.AUTHENTICATION_PLUGIN_CLASS_NAME.set(properties, Pgcred.class.getName());
        }
        try (Connection connection = DriverManager.getConnection(url, properties);
                ResultSet rows = connection.createStatement()
                        .executeQuery("select current_user || '@' || current_database()")) {
            rows.next();
            System.out.println(rows.getString(1));
        }
    }

    /** Prints the SQLSTATE of a statement that another thread cancels, and the answer of the next one. */
    static void cancel() throws Exception {
        try (Connection connection = DriverManager.getConnection("jdbc:" + env("URL"));
                Statement statement = connection.createStatement()) {
            Thread other = new Thread(() -> {
                try {
                    while (true) { // the statement may not have begun
                        Thread.sleep(300);
                        statement.cancel();
                    }
                } catch (InterruptedException end) {
                    return;
                } catch (SQLException error) {
                    error.printStackTrace();
                }
            });
            other.start();
            try {
                statement.execute("select pg_sleep(60)");
            } catch (SQLException error) {
                System.out.println(error.getSQLState());
            }
            other.interrupt();
            other.join();
            try (ResultSet rows = statement.executeQuery("select 'goes on'")) {
                rows.next();
                System.out.println(rows.getString(1));
            }
        }
    }

    static String env(String name) {
        return System.getenv(name);
    }

    /** A value of the dialog. */
    static String said(String name) {
        for (String line : env("DIALOG").split("\n")) {
            if (line.startsWith("  " + name + " ")) {
                return line.substring(name.length() + 2).trim();
            }
        }
        throw new IllegalStateException("no " + name + " in the dialog");
    }
}

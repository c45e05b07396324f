// The client pgjdbc: `environment` (PG* variables, put into a JDBC URL), `url` (from URL), `command` (asks pgcred).
import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
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
                Process pgcred = new ProcessBuilder("pgcred", "token").start();
                return new String(pgcred.getInputStream().readAllBytes()).trim().toCharArray();
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }
    }

    public static void main(String[] arguments) throws Exception {
        String way = arguments[0];
        if (way.equals("version")) {
            System.out.println(org.postgresql.util.DriverInfo.DRIVER_FULL_NAME + ", Java " + Runtime.version().feature());
            return;
        }
        String place = env("PGHOST") + ":" + env("PGPORT") + "/" + env("PGDATABASE");
        Properties properties = new Properties();
        PGProperty.SSL_MODE.set(properties, "verify-full");
        PGProperty.SSL_ROOT_CERT.set(properties, env("PGSSLROOTCERT"));
        if (!way.equals("url")) {
            PGProperty.USER.set(properties, env("PGUSER"));
        }
        if (way.equals("command")) {
            PGProperty.AUTHENTICATION_PLUGIN_CLASS_NAME.set(properties, Pgcred.class.getName());
        }
        String url = "jdbc:" + (way.equals("url") ? env("URL") : "postgresql://" + place);
        try (Connection connection = DriverManager.getConnection(url, properties);
                ResultSet rows = connection.createStatement()
                        .executeQuery("select current_user || '@' || current_database()")) {
            rows.next();
            System.out.println(rows.getString(1));
        }
    }

    static String env(String name) {
        return System.getenv(name);
    }
}

# The client DBD::Pg of Perl, with the system's libpq: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL);
# with `command`, pgcred gives the password.
use strict;
use warnings;
use DBI;
use DBD::Pg;

my ($how, $command) = @ARGV;
if ($how eq 'version') {
    print "DBD::Pg $DBD::Pg::VERSION, Perl $^V\n";
    exit;
}
my $source = $how eq 'url' ? $ENV{URL} : '';
my $password;
chomp($password = `pgcred token "\$CONNECTION"`) if $command;
my $connection = DBI->connect("dbi:Pg:$source", undef, $password, { RaiseError => 1, PrintError => 0 });
print $connection->selectrow_array(q{select current_user || '@' || current_database()}), "\n";

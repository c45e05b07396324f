# The client DBD::Pg of Perl, with the system's libpq: `environment` (PG* variables), `url`, `command` (asks pgcred).
use strict;
use warnings;
use DBI;
use DBD::Pg;

my $way = shift;
if ($way eq 'version') {
    print "DBD::Pg $DBD::Pg::VERSION, Perl $^V\n";
    exit;
}
my ($source, $password) = ('', undef);
$source = $ENV{URL} if $way eq 'url';
chomp($password = `pgcred token`) if $way eq 'command';
my $connection = DBI->connect("dbi:Pg:$source", undef, $password, { RaiseError => 1, PrintError => 0 });
print $connection->selectrow_array(q{select current_user || '@' || current_database()}), "\n";

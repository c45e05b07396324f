# Shows what pgcred's shell hook keeps in PGCRED_SEGMENT; starts no process.
function prompt_pgcred() {
  [[ -z ${PGCRED_SEGMENT-} ]] || p10k segment -f 208 -t "$PGCRED_SEGMENT"
}
# Only while one of these is typed; take the line out to see it always.
typeset -g POWERLEVEL9K_PGCRED_SHOW_ON_COMMAND='psql|pgcli|pg_dump|pg_restore'

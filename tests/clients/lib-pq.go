// The client lib/pq of Go: `url` (from URL), `environment` (PG* variables); with `command`, pgcred gives the password.
package main

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/lib/pq"
)

var version string // of the package, from the linker

func main() {
	who, err := ask(os.Args[1], len(os.Args) > 2)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(who)
}

func ask(how string, command bool) (who string, err error) {
	source := ""
	switch how {
	case "version":
		return version + ", " + runtime.Version(), nil
	case "url":
		if source, err = pq.ParseURL(os.Getenv("URL")); err != nil {
			return
		}
	}
	if command {
		token, err := exec.Command("pgcred", "token", os.Getenv("CONNECTION")).Output()
		if err != nil {
			return "", err
		}
		source += " password=" + strings.TrimSpace(string(token)) // no blank, quote or backslash is in a token
	}
	database, err := sql.Open("postgres", source)
	if err != nil {
		return
	}
	defer database.Close()
	err = database.QueryRow("select current_user || '@' || current_database()").Scan(&who)
	return
}

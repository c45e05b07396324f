// The client lib/pq of Go: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred).
package main

import (
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	_ "github.com/lib/pq"
)

var version string // of the package, from the linker

func main() {
	who, err := ask(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(who)
}

func ask(way string) (who string, err error) {
	source := ""
	switch way {
	case "version":
		return version + ", " + runtime.Version(), nil
	case "url":
		source = os.Getenv("URL")
	case "command":
		token, err := exec.Command("pgcred", "token").Output()
		if err != nil {
			return "", err
		}
		source = "password=" + strings.TrimSpace(string(token)) // no blank, quote or backslash is in a token
	}
	database, err := sql.Open("postgres", source)
	if err != nil {
		return
	}
	defer database.Close()
	err = database.QueryRow("select current_user || '@' || current_database()").Scan(&who)
	return
}

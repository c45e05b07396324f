// The client pgx: `environment` (PG* variables, and what PGSERVICE names), `url` (from URL); with `command`, pgcred gives the
// password.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/jackc/pgx/v4"
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
	if how == "version" {
		return version + ", " + runtime.Version(), nil
	}
	url := ""
	if how == "url" {
		url = os.Getenv("URL")
	}
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return
	}
	if command {
		token, err := exec.Command("pgcred", "token", os.Getenv("CONNECTION")).Output()
		if err != nil {
			return "", err
		}
		config.Password = strings.TrimSpace(string(token))
	}
	connection, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		return
	}
	defer connection.Close(context.Background())
	err = connection.QueryRow(context.Background(), "select current_user || '@' || current_database()").Scan(&who)
	return
}

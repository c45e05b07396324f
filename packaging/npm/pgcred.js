#!/usr/bin/env node
// Runs the pgcred of this system, which is in one of the optional packages, in the place of this script.
"use strict";
const { spawn } = require("node:child_process");
const { constants } = require("node:os");

// Returns the names of the packages that could have the program, the best one first.
function packages() {
    const base = `pgcred-${process.platform}-${process.arch}`;
    if (process.platform !== "linux") {
        return [base];
    }
    process.report.excludeNetwork = true; // it would look up names
    const isGlibc = Boolean(process.report.getReport().header.glibcVersionRuntime);
    return isGlibc ? [`${base}-gnu`, `${base}-musl`] : [`${base}-musl`];
}

function program() {
    const file = process.platform === "win32" ? "pgcred.exe" : "pgcred";
    for (const name of packages()) {
        try {
            return require.resolve(`${name}/${file}`);
        } catch {
            // the next one
        }
    }
    console.error(`pgcred: ${packages()[0]} is not installed; install pgcred with optional dependencies`);
    process.exit(1);
}

function run(args) {
    const child = spawn(program(), args, { stdio: "inherit" });
    // The terminal sends its signals to both; the others are for the program too.
    for (const signal of ["SIGINT", "SIGQUIT"]) {
        process.on(signal, () => {});
    }
    for (const signal of ["SIGTERM", "SIGHUP"]) {
        process.on(signal, () => child.kill(signal));
    }
    child.on("error", (error) => {
        console.error(`pgcred: ${error.message}`);
        process.exit(1);
    });
    child.on("exit", (code, signal) => {
        process.exit(signal ? 128 + constants.signals[signal] : code);
    });
}

module.exports = { run };
if (require.main === module) {
    run(process.argv.slice(2));
}

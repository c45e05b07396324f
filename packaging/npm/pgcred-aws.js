#!/usr/bin/env node
// Runs `pgcred aws`.
"use strict";
require("./pgcred.js").run(["aws", ...process.argv.slice(2)]);

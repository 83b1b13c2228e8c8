#!/usr/bin/env node
/** What `coatcheck` on the command line starts. Everything else is in `program.ts`, which a test can call. */
import { runProgram } from './program.ts'
import { processTerminal } from './terminal.ts'

process.exitCode = await runProgram(process.argv.slice(2), processTerminal())

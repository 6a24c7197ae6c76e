#!/usr/bin/env -S node -C @p2pl/source
import { enableCompileCache } from 'node:module'
import process from 'node:process'

// From its source, modules load in half of the processor time the second time: types are stripped once.
enableCompileCache()

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())

// The reader of the output has enough (`log | head`). That is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

// A process that another one started with a channel ends with it, however it ended.
if (process.channel !== undefined) {
  process.once('disconnect', () => {
    stop.abort()
    setTimeout(() => process.exit(1), 2_000).unref()
  })
  process.channel.unref()
}

// Loaded only now: a parent that dies meanwhile is noticed.
const { runCommandLine } = await import('./cli/program.ts')
const { flushOutput } = await import('@p2pl/cli/tools')
const code = await runCommandLine(process.argv.slice(2), stop.signal)
await flushOutput(stop.signal)
// Engines may keep timers and sockets for a while after they were stopped: the command is done now.
process.exit(code)

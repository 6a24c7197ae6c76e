#!/usr/bin/env -S node -C @p2pl/source
import { enableCompileCache } from 'node:module'
import process from 'node:process'

// When run from source, modules load in half of the processor time from the second run on, because types are stripped
// only once.
enableCompileCache()

const stop = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())

// The reader has closed the output (`log | head`). That is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

// A child process with a channel ends when its parent ends, however that happens.
if (process.channel !== undefined) {
  process.once('disconnect', () => {
    stop.abort()
    setTimeout(() => process.exit(1), 2_000).unref()
  })
  process.channel.unref()
}

// Loaded only now, so that the end of a parent is noticed meanwhile.
const { runCommandLine } = await import('./cli/program.ts')
const { flushOutput } = await import('@p2pl/cli/tools')
const code = await runCommandLine(process.argv.slice(2), stop.signal)
await flushOutput(stop.signal)
// Engines may keep timers and sockets for a while after they are stopped, but the command is done.
process.exit(code)

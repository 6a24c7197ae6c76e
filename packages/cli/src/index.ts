import process from 'node:process'

/** Runs the command line of this process, and ends the process. */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<never> {
  const stop = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort())
  // The reader of the output has enough (`ls | head`). That is not a failure.
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0)
      throw error
    })
  // A command that waits for other peers goes on: an idle peer alone would not keep the process alive.
  setInterval(() => undefined, 60_000)
  const { runCommandLine } = await import('./program.ts')
  const code = await runCommandLine(args, stop.signal)
  const { flushOutput } = await import('./tools/flush.ts')
  await flushOutput(stop.signal)
  // Engines may keep timers and sockets for a while after they have stopped, but the command is done now.
  process.exit(code)
}

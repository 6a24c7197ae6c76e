import { once } from 'node:events'
import process from 'node:process'

/**
 * Resolves when all output was handed to its reader, however slow that is, or when the signal fires. Until then the process
 * must not end.
 */
export async function flushOutput(signal: AbortSignal): Promise<void> {
  const written = Promise.all(
    [process.stdout, process.stderr].map(
      async (stream) =>
        await new Promise<void>((resolve) => {
          if (stream.writableLength === 0) resolve()
          // Called when everything before it was handed on.
          else stream.write('', () => resolve())
        })
    )
  )
  await Promise.race([written, signal.aborted ? undefined : once(signal, 'abort')])
}

import { P2plError } from '@p2pl/core'

/** Maximum bytes of a line. Larger ones fit into no message. */
const maxLineBytes = 16 * 1024 * 1024

/**
 * The lines of a stream of bytes, without their line ends. A line that is too long is an error, so input without line ends
 * does not fill the memory.
 */
export async function* linesOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of source) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = parts.pop() ?? ''
    if (rest.length > maxLineBytes)
      throw new P2plError({
        code: 'TOO_LARGE',
        message: 'a line of the input has more than 16 MiB: send it as content, with "p2pl add"'
      })
    for (const line of parts) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

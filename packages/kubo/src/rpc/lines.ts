import { failure } from '../errors.ts'

/** Splits a stream of bytes into lines of at most `maxBytes`. */
export class LineSplitter {
  readonly #maxBytes: number
  readonly #operation: string
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(operation: string, maxBytes: number) {
    this.#operation = operation
    this.#maxBytes = maxBytes
  }

  /** The lines that end in `chunk`. Throws `PROTOCOL` for a line that is too long. */
  push(chunk: Buffer): string[] {
    const lines: string[] = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#check(end - from)
      let line: string
      if (this.#restBytes === 0) line = chunk.toString('utf8', from, end)
      else {
        this.#rest.push(chunk.subarray(from, end))
        line = Buffer.concat(this.#rest).toString('utf8')
        this.#rest = []
        this.#restBytes = 0
      }
      if (line.trim() !== '') lines.push(line)
      from = end + 1
    }
    if (from < chunk.length) {
      this.#check(chunk.length - from)
      this.#rest.push(chunk.subarray(from))
      this.#restBytes += chunk.length - from
    }
    return lines
  }

  /** The bytes after the last line end. */
  rest(): string {
    return Buffer.concat(this.#rest).toString('utf8').trim()
  }

  #check(more: number): void {
    if (this.#restBytes + more > this.#maxBytes)
      throw failure('PROTOCOL', this.#operation, `the daemon sent a line of more than ${this.#maxBytes} bytes`)
  }
}

export function parseJson(operation: string, text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw failure('PROTOCOL', operation, `the daemon answered ${operation} with something that is not JSON`, { cause })
  }
  if (typeof value !== 'object' || value === null)
    throw failure('PROTOCOL', operation, `the daemon answered ${operation} with ${typeof value} instead of an object`)
  return value as Record<string, unknown>
}

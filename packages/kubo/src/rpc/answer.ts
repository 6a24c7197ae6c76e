import { finished } from 'node:stream/promises'
import { type P2plError, systemClock } from '@p2pl/core/backend'
import type { Dispatcher } from 'undici'
import { classify, failure, RpcStatusError } from '../errors.ts'
import { LineSplitter, parseJson } from './lines.ts'

const defaultMaxBytes = 1024 * 1024
const maxLineBytes = 2 * 1024 * 1024
/** Parsing one line may take tens of microseconds. */
const linesOfTurn = 1_000

/** An answer of the daemon with status 200, from its headers to its last byte. Every way to read it is bounded. */
export class Answer {
  readonly operation: string
  readonly #response: Dispatcher.ResponseData
  #onEnd: (() => void) | undefined

  constructor(operation: string, response: Dispatcher.ResponseData, onEnd: () => void) {
    this.operation = operation
    this.#response = response
    this.#onEnd = onEnd
    // A connection that breaks while nobody reads must not become an uncaught error. The next reader gets the error.
    response.body.on('error', () => this.#end())
  }

  /** The chunks of the answer as they arrive. Leaving the iteration closes the connection. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    const { body } = this.#response
    try {
      for await (const chunk of body) yield chunk as Buffer
      this.#throwLate()
    } catch (error) {
      throw classify(this.operation, error)
    } finally {
      this.#end()
    }
  }

  /** The whole answer. Throws `PROTOCOL` when it is longer than `maxBytes`. */
  async collect(maxBytes: number = defaultMaxBytes): Promise<Buffer> {
    const { body } = this.#response
    const chunks: Buffer[] = []
    let size = 0
    // The daemon sends pieces of 4 KiB. An iterator would join the pieces that wait, and then this method would join
    // them again.
    body.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) chunks.push(chunk)
      else body.destroy(this.#tooLong(maxBytes))
    })
    try {
      await finished(body)
      this.#throwLate()
    } catch (error) {
      throw classify(this.operation, error)
    } finally {
      this.#end()
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
  }

  /** The whole answer as a JSON object or array. */
  async json(maxBytes?: number): Promise<Record<string, unknown>> {
    return parseJson(this.operation, (await this.collect(maxBytes)).toString('utf8'))
  }

  /**
   * The non-empty lines of the answer, in groups, each group in a separate turn of the event loop. Throws the error
   * that a line reports.
   */
  async *lines(): AsyncGenerator<readonly string[], void, undefined> {
    const splitter = new LineSplitter(this.operation, maxLineBytes)
    for await (const chunk of this.chunks()) {
      const lines = splitter.push(chunk)
      for (let from = 0; from < lines.length; from += linesOfTurn) {
        yield this.#checked(lines.slice(from, from + linesOfTurn))
        await new Promise<void>((resolve) => systemClock.nextTurn(resolve))
      }
    }
    const rest = splitter.rest()
    if (rest !== '') yield this.#checked([rest])
  }

  /** The JSON objects of an answer with one object per line. */
  async *objects(): AsyncGenerator<Record<string, unknown>, void, undefined> {
    for await (const lines of this.lines()) for (const line of lines) yield parseJson(this.operation, line)
  }

  /** Ends the answer early: its reader gets the error. */
  fail(error: P2plError): void {
    this.#response.body.destroy(error)
    this.#end()
  }

  /** The daemon may fail after its first lines. Then the last line is an error. */
  #checked(lines: readonly string[]): readonly string[] {
    for (const line of lines) {
      if (!line.startsWith('{"Message"')) continue
      const { Type: type, Message: message } = parseJson(this.operation, line)
      if (type !== 'error') continue
      // Only a text of the daemon: converting any other value to text can throw, or take long.
      const text = typeof message === 'string' ? message.slice(0, 1_000) : 'an error without a message'
      throw classify(this.operation, new RpcStatusError(200, text))
    }
    return lines
  }

  /** The daemon may fail after its first bytes. Then a trailer says so. */
  #throwLate(): void {
    const late = this.#response.trailers['x-stream-error']
    if (late !== undefined) throw new RpcStatusError(200, late)
  }

  #tooLong(maxBytes: number): P2plError {
    return failure('PROTOCOL', this.operation, `the answer to ${this.operation} has more than ${maxBytes} bytes`)
  }

  #end(): void {
    this.#onEnd?.()
    this.#onEnd = undefined
  }
}

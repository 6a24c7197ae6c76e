import type { ClientRequest, IncomingMessage } from 'node:http'
import type { P2plError } from '@p2pl/core/backend'
import { classify, failure, RpcStatusError } from '../errors.ts'

/**
 * One exchange with the daemon, from the request to the last byte of the answer. Whatever ends it early (signal,
 * deadline, limit, stop) goes through `fail`, so that its reason is known wherever the loss of the socket is noticed.
 */
export class Call {
  readonly operation: string
  readonly #onEnd: () => void
  #request: ClientRequest | undefined
  #response: IncomingMessage | undefined
  #failure: P2plError | undefined
  #ended = false
  #onFail: ((error: P2plError) => void) | undefined

  constructor(operation: string, onEnd: () => void) {
    this.operation = operation
    this.#onEnd = onEnd
  }

  /** The answer's first part. */
  get response(): IncomingMessage {
    if (this.#response === undefined) throw new Error('no answer yet')
    return this.#response
  }

  /** Sends, and resolves when the headers of the answer are there. A second time only after a lost idle socket. */
  async send(request: ClientRequest, chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) {
      request.on('error', () => {})
      request.destroy()
      throw this.#failure
    }
    this.#request = request
    await new Promise<void>((resolve, reject) => {
      this.#onFail = reject
      // Stays for the life of the socket: a late error must never be uncaught.
      request.on('error', (error) => reject(this.#failure ?? error))
      request.on('response', (response) => {
        response.on('error', () => {})
        this.#response = response
        resolve()
      })
      request.on('close', () => reject(this.#failure ?? new Error('the connection was closed before an answer')))
      for (const chunk of chunks) request.write(chunk)
      request.end()
    })
    this.#onFail = undefined
  }

  fail(error: P2plError): void {
    if (this.#ended) return
    this.#failure ??= error
    this.#onFail?.(this.#failure)
    this.#request?.destroy()
    this.#response?.destroy()
    this.end()
  }

  /** Releases what the call holds. Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#onEnd()
  }

  /** The whole answer. Throws `PROTOCOL` when it is longer than `maxBytes`. */
  async collect(maxBytes: number): Promise<Buffer> {
    const response = this.response
    try {
      const chunks: Buffer[] = []
      await new Promise<void>((resolve, reject) => {
        let size = 0
        this.#onFail = reject
        if (this.#failure !== undefined) reject(this.#failure)
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxBytes) this.fail(this.tooLong(maxBytes))
          else chunks.push(chunk)
        })
        response.on('end', resolve)
        response.on('error', reject)
        response.on('close', () => reject(new Error('the answer broke off')))
      })
      this.#checkComplete()
      return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
    } catch (error) {
      throw this.#failure ?? classify(this.operation, error)
    } finally {
      this.#onFail = undefined
      this.end()
    }
  }

  /** The answer as it comes. Leaving the iteration closes the connection. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      for await (const chunk of this.response) yield chunk as Buffer
      this.#checkComplete()
    } catch (error) {
      throw this.#failure ?? classify(this.operation, error)
    } finally {
      if (!this.response.complete) this.response.destroy()
      this.end()
    }
  }

  tooLong(maxBytes: number): P2plError {
    return failure('PROTOCOL', this.operation, `the daemon's answer to ${this.operation} is over ${maxBytes} bytes`)
  }

  #checkComplete(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.response.complete) throw new Error('the answer broke off')
    const late = this.response.trailers['x-stream-error']
    if (late !== undefined) throw new RpcStatusError(200, late)
  }
}

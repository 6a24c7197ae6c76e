import { errorMessage, isP2plError } from '@p2pl/core/backend'
import { type Answer, type Body, type CallKind, classify, failure, type Request, type Transport } from '@p2pl/kubo/rpc'
import { create, type KuboRPCClient } from 'kubo-rpc-client'
import { type AnswerLimits, type LibraryResponse, responseOf } from './response.ts'

/** What the transport needs to know about a call of the library. The library does not see it. */
export interface LibraryCallKind extends CallKind, AnswerLimits {
  /** Parameters of the daemon for which the library's call has no option. */
  readonly params?: Readonly<Record<string, string | boolean>> | undefined
}

export interface LibraryOptions {
  readonly signal?: AbortSignal
}

/** The part of `fetch` that kubo-rpc-client uses. */
type Fetch = (
  url: string,
  init: {
    readonly headers?: Headers
    readonly body?: AsyncIterable<Uint8Array | string>
    readonly signal?: AbortSignal
  }
) => Promise<LibraryResponse>

/** A placeholder address for the library. Only the transport knows where the daemon really is. */
const libraryUrl = 'http://daemon.invalid/api/v0'
const basePath = `${new URL(libraryUrl).pathname}/`

/** Calls of kubo-rpc-client, carried by the transport of `@p2pl/kubo`. */
export class RpcClient {
  readonly #transport: Transport
  // One client of the library per kind of call: its fetch applies the kind.
  readonly #clients = new WeakMap<LibraryCallKind, KuboRPCClient>()

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** A call without the library. */
  async request(kind: CallKind, request: Request): Promise<Answer> {
    return await this.#transport.request(kind, request)
  }

  /** Makes one call of the library. `kind` must be a constant of the caller, because creating a client is expensive. */
  async call<T>(
    kind: LibraryCallKind,
    signal: AbortSignal | undefined,
    use: (library: KuboRPCClient, options: LibraryOptions) => Promise<T>
  ): Promise<T> {
    try {
      return await use(this.#clientFor(kind), signal === undefined ? {} : { signal })
    } catch (error) {
      throw asFailure(kind.operation, error, signal)
    }
  }

  /** The items of a streaming call of the library. Leaving the iteration ends the call. */
  async *each<T>(
    kind: LibraryCallKind,
    signal: AbortSignal | undefined,
    use: (library: KuboRPCClient, options: LibraryOptions) => AsyncIterable<T>
  ): AsyncGenerator<T, void, undefined> {
    try {
      yield* use(this.#clientFor(kind), signal === undefined ? {} : { signal })
    } catch (error) {
      throw asFailure(kind.operation, error, signal)
    }
  }

  #clientFor(kind: LibraryCallKind): KuboRPCClient {
    const known = this.#clients.get(kind)
    if (known !== undefined) return known
    const client = create({ url: libraryUrl, fetch: this.#fetch(kind) as unknown as typeof globalThis.fetch })
    this.#clients.set(kind, client)
    return client
  }

  /** Rejects with a `P2plError` for every status except 200. */
  #fetch(kind: LibraryCallKind): Fetch {
    return async (url, { headers, body, signal }) => {
      const { pathname, searchParams } = new URL(url)
      for (const [name, value] of Object.entries(kind.params ?? {})) searchParams.set(name, String(value))
      const answer = await this.request(kind, {
        path: pathname.slice(basePath.length),
        query: searchParams,
        body: body === undefined ? undefined : await wholeBody(headers, body),
        signal
      })
      return await responseOf(answer, kind)
    }
  }
}

/** The library streams one block at most. */
async function wholeBody(headers: Headers | undefined, body: AsyncIterable<Uint8Array | string>): Promise<Body> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)
  return { headers: Object.fromEntries(headers ?? []), parts: [Buffer.concat(chunks)] }
}

/** An answer that the library could not parse is the fault of the daemon: all other errors are already typed here. */
function asFailure(operation: string, error: unknown, signal: AbortSignal | undefined): Error {
  if (isP2plError(error)) return error
  if (signal?.aborted === true) return classify(operation, error, signal)
  const text = errorMessage(error)
  return failure(
    'PROTOCOL',
    operation,
    `the answer of the daemon to ${operation} is not as expected: ${text.slice(0, 200)}`,
    {
      cause: error
    }
  )
}

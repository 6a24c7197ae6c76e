import { create, type KuboRPCClient } from 'kubo-rpc-client'
import { isP2plError } from '@p2pl/core/backend'
import { classify } from '../errors.ts'
import { unexpected } from './answer.ts'
import { type CallKind, libraryUrl, Transport } from './transport.ts'

export interface LibraryOptions {
  readonly signal?: AbortSignal
}

/** kubo-rpc-client over our transport. */
export class RpcClient extends Transport {
  // One client of the library for each kind of call: its fetch is where the kind takes effect.
  readonly #clients = new WeakMap<CallKind, KuboRPCClient>()

  /** One call of the library. `kind` is a constant of its caller: making a client is not cheap. */
  async call<T>(
    kind: CallKind,
    signal: AbortSignal | undefined,
    use: (library: KuboRPCClient, options: LibraryOptions) => Promise<T>
  ): Promise<T> {
    try {
      return await use(this.#clientFor(kind), signal === undefined ? {} : { signal })
    } catch (error) {
      throw asFailure(kind.operation, error, signal)
    }
  }

  /** The items of a call of the library that streams. Leaving the iteration ends the call. */
  async *each<T>(
    kind: CallKind,
    signal: AbortSignal | undefined,
    use: (library: KuboRPCClient, options: LibraryOptions) => AsyncIterable<T>
  ): AsyncGenerator<T, void, undefined> {
    try {
      yield* use(this.#clientFor(kind), signal === undefined ? {} : { signal })
    } catch (error) {
      throw asFailure(kind.operation, error, signal)
    }
  }

  #clientFor(kind: CallKind): KuboRPCClient {
    const known = this.#clients.get(kind)
    if (known !== undefined) return known
    const client = create({ url: libraryUrl, fetch: this.fetch(kind) as unknown as typeof globalThis.fetch })
    this.#clients.set(kind, client)
    return client
  }
}

function asFailure(operation: string, error: unknown, signal: AbortSignal | undefined): Error {
  if (isP2plError(error)) return error
  if (signal?.aborted === true) return classify(operation, error, signal)
  return unexpected(operation, error)
}

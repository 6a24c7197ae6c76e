import type { P2plError } from '@p2pl/core/backend'
import { classify } from '../errors.ts'
import type { CallKind, Transport } from '../rpc/transport.ts'

const maxAnswerBytes = 4 * 1024 * 1024

/** Makes calls whose failure counts as an answer. */
export class Probe {
  readonly #rpc: Transport
  readonly #kind: CallKind
  readonly #signal: AbortSignal | undefined

  /** `timeout`: milliseconds for each call. */
  constructor(rpc: Transport, timeout: number, signal: AbortSignal | undefined) {
    this.#rpc = rpc
    this.#kind = { operation: 'preflight', lane: 'store', timeout }
    this.#signal = signal
  }

  async ask(path: string, parameters: Record<string, string> = {}): Promise<Record<string, unknown> | P2plError> {
    try {
      const query = new URLSearchParams(parameters)
      const answer = await this.#rpc.request(this.#kind, { path, query, signal: this.#signal })
      return await answer.json(maxAnswerBytes)
    } catch (error) {
      return classify(this.#kind.operation, error, this.#signal)
    }
  }

  /** A value of the configuration; `undefined` if it is not set or may not be read. */
  async setting(name: string): Promise<unknown> {
    const answer = await this.ask('config', { arg: name })
    return answer instanceof Error ? undefined : answer['Value']
  }

  /** The number of peers in a routing table of the DHT; 0 if the daemon has no such table. */
  async dhtPeers(table: 'lan' | 'wan'): Promise<number> {
    const answer = await this.ask('stats/dht', { arg: table })
    return answer instanceof Error
      ? 0
      : listOf(answer['Buckets']).reduce<number>(
          (sum, bucket) => sum + listOf((bucket as { Peers?: unknown } | null)?.Peers).length,
          0
        )
  }
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** One thing that happened on the simulated network. */
export interface TraceEvent {
  /** Milliseconds of virtual time since the simulator was made. */
  readonly at: number
  readonly kind: TraceKind
  readonly from: string
  readonly to: string
  readonly bytes: number
}

const kinds = ['message', 'request', 'response', 'lost', 'blocked', 'boot', 'crash', 'stop'] as const
export type TraceKind = (typeof kinds)[number]

const codes = new Map<TraceKind, number>(kinds.map((kind, code) => [kind, code + 1]))

/** A running hash over everything that happens. Two runs with equal hashes were equal, step by step. */
export class Trace {
  #a = 0x811c9dc5
  #b = 0x1b873593

  add(at: number, kind: TraceKind, from: number, to: number, content: number): void {
    this.#mix(at | 0)
    this.#mix((codes.get(kind) as number) * 0x1000193 + from)
    this.#mix(to)
    this.#mix(content)
  }

  /** 16 hexadecimal digits. */
  digest(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
  }

  #mix(word: number): void {
    this.#a = Math.imul(this.#a ^ word, 0x85ebca6b)
    this.#a ^= this.#a >>> 13
    this.#b = Math.imul((this.#b << 13) | (this.#b >>> 19), 5) + (this.#a ^ Math.imul(word, 0xc2b2ae35))
    this.#b |= 0
  }
}

/** FNV-1a over the length, the first and the last bytes: enough to tell payloads apart. */
export function contentHash(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 ^ bytes.byteLength
  const step = Math.max(1, bytes.byteLength >> 6)
  for (let i = 0; i < bytes.byteLength; i += step) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash
}

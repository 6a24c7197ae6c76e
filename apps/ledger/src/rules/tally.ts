import * as dagCbor from '@ipld/dag-cbor'
import type { CID } from 'multiformats/cid'
import { cborCid } from '../cbor-cid.ts'
import { amountToCbor } from './fields.ts'
import { judge, type Standing } from './outcome.ts'
import type { Payload } from './payload.ts'

export interface Counts {
  readonly entries: number
  readonly accepted: number
  readonly rejected: number
}

export type Balances = readonly (readonly [account: string, standing: Standing])[]

const nothing: Standing = { balance: 0n, next: 0 }

/** Counts entries in canonical order, and keeps only the accounts in memory. */
export class Tally {
  readonly #accounts: Map<string, Standing>
  #entries = 0
  #rejected = 0

  constructor(initial: ReadonlyMap<string, bigint>) {
    this.#accounts = new Map([...initial].map(([id, balance]) => [id, { balance, next: 0 }]))
  }

  add({ author, payload }: { readonly author: string; readonly payload: Payload }): void {
    const amount = payload.type === 'transfer' ? payload.amount : 0n
    const { outcome, ...after } = judge(this.#standing(author), { sequence: payload.sequence, amount })
    this.#accounts.set(author, after)
    this.#entries++
    if (outcome !== 'accepted') this.#rejected++
    else if (payload.type === 'transfer') {
      const { balance, next } = this.#standing(payload.to)
      this.#accounts.set(payload.to, { balance: balance + amount, next })
    }
  }

  get size(): number {
    return this.#entries
  }

  counts(): Counts {
    return { entries: this.#entries, accepted: this.#entries - this.#rejected, rejected: this.#rejected }
  }

  /** All accounts that have or had a balance or an entry, by id. */
  balances(): Balances {
    return [...this.#accounts]
      .filter(([, { balance, next }]) => balance > 0n || next > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
  }

  #standing(account: string): Standing {
    return this.#accounts.get(account) ?? nothing
  }
}

/** The CID of all balances as DAG-CBOR. It is equal exactly when the balances are equal. */
export function balancesCid(balances: Balances): CID {
  return cborCid(dagCbor.encode(balances.map(([id, { balance }]) => [id, amountToCbor(balance)])))
}

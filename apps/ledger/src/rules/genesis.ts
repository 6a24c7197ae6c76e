import * as dagCbor from '@ipld/dag-cbor'
import { equalBytes } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { cborCid } from '../cbor-cid.ts'
import { amountToCbor, checkAccount, checkAmount, checkKeys, checkText, invalid } from './fields.ts'
import { maxAmount, maxGenesisBytes, maxInitialAccounts, maxNetworkNameBytes, maxWitnesses } from './limits.ts'

/** The beginning of a ledger. Its CID names the ledger: peers with another genesis use another topic and never meet. */
export interface Genesis {
  readonly network: string
  readonly balances: ReadonlyMap<string, bigint>
  /** Accounts whose approval counts as a confirmation; at most 31, in any order. */
  readonly witnesses: readonly string[]
  /** 16 random bytes. They make ledgers distinct that agree in everything else. */
  readonly salt: Uint8Array
}

export interface GenesisBlock {
  readonly genesis: Genesis
  readonly cid: CID
  readonly bytes: Uint8Array
  readonly topic: string
}

const kind = 'p2pl-ledger/1'
const saltLength = 16

/** The block of a genesis. Throws an `INVALID_ARGUMENT` that names the field. */
export function encodeGenesis(genesis: Genesis): GenesisBlock {
  const checked = checkGenesis(genesis)
  return blockOf(checked, encode(checked))
}

/**
 * Decodes a genesis of unknown origin. Throws `INVALID_ARGUMENT` for anything but the exact bytes that {@link
 * encodeGenesis} makes.
 */
export function decodeGenesis(bytes: Uint8Array): GenesisBlock {
  if (bytes.byteLength > maxGenesisBytes) throw invalid(`a genesis has at most ${maxGenesisBytes} bytes`)
  let value: unknown
  try {
    value = dagCbor.decode(bytes)
  } catch {
    throw invalid('a genesis must be DAG-CBOR')
  }
  const map = checkKeys('genesis', value, ['kind', 'network', 'balances', 'witnesses', 'salt'])
  if (map['kind'] !== kind) throw invalid(`a genesis must be of kind "${kind}"`)
  const balances = map['balances']
  if (!Array.isArray(balances)) throw invalid('balances must be a list')
  const genesis = checkGenesis({
    network: map['network'] as string,
    balances: new Map(balances.map(checkPair)),
    witnesses: map['witnesses'] as string[],
    salt: map['salt'] as Uint8Array
  })
  if (!equalBytes(encode(genesis), bytes)) throw invalid('a genesis must be in its canonical form')
  return blockOf(genesis, bytes.slice())
}

function encode(genesis: Genesis): Uint8Array {
  const bytes = dagCbor.encode({
    kind,
    network: genesis.network,
    balances: [...genesis.balances].map(([account, amount]) => [account, amountToCbor(amount)]),
    witnesses: [...genesis.witnesses],
    salt: genesis.salt
  })
  if (bytes.byteLength > maxGenesisBytes) throw invalid(`a genesis has at most ${maxGenesisBytes} bytes`)
  return bytes
}

function blockOf(genesis: Genesis, bytes: Uint8Array): GenesisBlock {
  const cid = cborCid(bytes)
  return { genesis, cid, bytes, topic: `${kind}/${cid.toString()}` }
}

function checkPair(pair: unknown): [string, bigint] {
  if (!Array.isArray(pair) || pair.length !== 2) throw invalid('balances must be pairs of account and amount')
  return [pair[0] as string, pair[1] as bigint]
}

function checkGenesis(genesis: Genesis): Genesis {
  if (genesis.balances.size > maxInitialAccounts)
    throw invalid(`balances must name at most ${maxInitialAccounts} accounts`)
  let sum = 0n
  const balances: [string, bigint][] = []
  for (const [account, amount] of genesis.balances) {
    const checked = checkAmount('an initial balance', amount, 1n)
    balances.push([checkAccount('an account of balances', account), checked])
    sum += checked
  }
  if (sum > maxAmount) throw invalid(`all initial balances together must be at most ${maxAmount}`)
  if (!Array.isArray(genesis.witnesses) || genesis.witnesses.length > maxWitnesses)
    throw invalid(`witnesses must be a list of at most ${maxWitnesses} accounts`)
  const witnesses = genesis.witnesses.map((account: unknown) => checkAccount('a witness', account))
  if (new Set(witnesses).size !== witnesses.length) throw invalid('witnesses must name each account once')
  const salt: unknown = genesis.salt
  if (!(salt instanceof Uint8Array) || salt.byteLength !== saltLength)
    throw invalid(`salt must have ${saltLength} bytes`)
  return {
    network: checkText('network', genesis.network, maxNetworkNameBytes),
    balances: new Map(balances.sort(([a], [b]) => (a < b ? -1 : 1))),
    witnesses: witnesses.sort(),
    salt
  }
}

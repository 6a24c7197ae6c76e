import type { CID } from 'multiformats/cid'
import { readView } from '@p2pl/sync'
import { LedgerError } from '../errors.ts'
import { decodeGenesis, type GenesisBlock } from '../rules/genesis.ts'
import { isWellFormed, LedgerState } from '../rules/state.ts'
import type { VerificationView } from '../service/views.ts'
import { loadCar } from './car.ts'

export interface VerifyOptions {
  readonly root: CID
  readonly genesis: GenesisBlock
  readonly getBlock: (cid: CID) => Promise<Uint8Array>
  readonly onProgress?: ((entries: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads the whole ledger from its root CID: every hash, signature, clock, parent, the form of each entry and of the index;
 * and counts all balances again. `INVALID_CONTENT` at the first contradiction.
 */
export async function verifyLedger(options: VerifyOptions): Promise<LedgerState> {
  const { genesis, root, onProgress, signal } = options
  const state = new LedgerState(genesis.genesis)
  for await (const entry of readView(root, { topic: genesis.topic, getBlock: options.getBlock })) {
    signal?.throwIfAborted()
    if (!isWellFormed(entry))
      throw new LedgerError('INVALID_CONTENT', `the entry ${entry.cid.toString()} is not of a form that a ledger has`)
    state.add(entry)
    if (onProgress !== undefined && state.size % 100 === 0) onProgress(state.size)
  }
  onProgress?.(state.size)
  return state
}

/**
 * Checks a CAR file that `export` made. Its roots name the view and the genesis; give what you know of them from
 * elsewhere, or the file vouches for itself only.
 */
export async function verifyCar(
  source: AsyncIterable<Uint8Array>,
  expected: { genesis?: GenesisBlock | undefined; root?: CID | undefined } = {},
  options: Pick<VerifyOptions, 'onProgress' | 'signal'> = {}
): Promise<VerificationView> {
  const car = await loadCar(source, { signal: options.signal })
  const { root, genesis } = rootsOf(car.roots, (cid) => car.get(cid))
  if (expected.genesis !== undefined && expected.genesis.cid.toString() !== genesis.cid.toString())
    throw new LedgerError('INVALID_CONTENT', `the file is of the ledger ${genesis.cid.toString()}, another one`)
  if (expected.root !== undefined && expected.root.toString() !== root.toString())
    throw new LedgerError('INVALID_CONTENT', `the file has the root ${root.toString()}, not the one asked for`)
  const getBlock = async (cid: CID): Promise<Uint8Array> => {
    const bytes = car.get(cid)
    if (bytes === undefined) throw new LedgerError('INVALID_CONTENT', `the file lacks the block ${cid.toString()}`)
    return bytes
  }
  const state = await verifyLedger({ root, genesis, getBlock, ...options })
  return verificationView(genesis, root, state)
}

/** The two roots of a ledger's CAR file, the genesis decoded and checked against its CID. */
export function rootsOf(
  roots: readonly CID[],
  getBlock: (cid: CID) => Uint8Array | undefined
): { root: CID; genesis: GenesisBlock } {
  const [root, genesisCid] = roots
  if (root === undefined || genesisCid === undefined || roots.length !== 2)
    throw new LedgerError('INVALID_CONTENT', 'the file has not the two roots of a ledger: root and genesis')
  const bytes = getBlock(genesisCid)
  if (bytes === undefined) throw new LedgerError('INVALID_CONTENT', 'the file lacks the genesis that it names')
  const genesis = readGenesis(bytes)
  if (genesis.cid.toString() !== genesisCid.toString())
    throw new LedgerError('INVALID_CONTENT', 'the genesis in the file does not hash to its CID')
  return { root, genesis }
}

function readGenesis(bytes: Uint8Array): GenesisBlock {
  try {
    return decodeGenesis(bytes)
  } catch (error) {
    throw new LedgerError('INVALID_CONTENT', `the file has no genesis of a ledger: ${(error as Error).message}`, error)
  }
}

export function verificationView(genesis: GenesisBlock, root: CID, state: LedgerState): VerificationView {
  return {
    genesis: genesis.cid.toString(),
    network: genesis.genesis.network,
    root: root.toString(),
    ...state.counts(),
    balances: state.balancesCid().toString(),
    accounts: state.balances().map(([account, balance]) => ({
      account,
      balance: balance.toString(),
      nextSequence: state.nextSequence(account)
    }))
  }
}

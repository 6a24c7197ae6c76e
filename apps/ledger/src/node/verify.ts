import type { CID } from 'multiformats/cid'
import { readView } from '@p2pl/sync'
import { LedgerError } from '../errors.ts'
import { decodeGenesis, type GenesisBlock } from '../rules/genesis.ts'
import { isWellFormed, readPayload } from '../rules/payload.ts'
import { balancesCid, Tally } from '../rules/tally.ts'
import { describeBalance } from '../service/describe.ts'
import type { VerificationView } from '../service/views.ts'
import { CarBlocks } from '../car/car-blocks.ts'
import { CarFile } from '../car/car-file.ts'

export interface VerifyOptions {
  readonly root: CID
  readonly genesis: GenesisBlock
  readonly getBlock: (cid: CID) => Promise<Uint8Array>
  readonly onProgress?: ((entries: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What the caller knows about a file from another source. */
interface Expected {
  readonly genesis?: GenesisBlock | undefined
  readonly root?: CID | undefined
}

type Checks = Pick<VerifyOptions, 'onProgress' | 'signal'>

/**
 * Reads the whole ledger from its root CID. Checks every hash, signature, clock and parent and the form of each entry
 * and of the index, and counts all balances again. Throws `INVALID_CONTENT` at the first contradiction.
 */
export async function verifyLedger(options: VerifyOptions): Promise<Tally> {
  const { genesis, root, onProgress, signal } = options
  const tally = new Tally(genesis.genesis.balances)
  for await (const entry of readView(root, { topic: genesis.topic, getBlock: options.getBlock })) {
    signal?.throwIfAborted()
    if (!isWellFormed(entry))
      throw new LedgerError('INVALID_CONTENT', `the entry ${entry.cid.toString()} is not of a form that a ledger has`)
    tally.add({ author: entry.author, payload: readPayload(entry.payload) })
    if (onProgress !== undefined && tally.size % 100 === 0) onProgress(tally.size)
  }
  onProgress?.(tally.size)
  return tally
}

/**
 * Checks a CAR file made by `export`. Its roots name the view and the genesis. Pass the roots that you know from
 * another source; otherwise the file vouches only for itself.
 */
export async function verifyCar(
  source: AsyncIterable<Uint8Array>,
  expected: Expected = {},
  options: Checks = {}
): Promise<VerificationView> {
  const car = await CarFile.open(source, { signal: options.signal })
  try {
    return await verifyFile(car, expected, options)
  } finally {
    await car.close()
  }
}

async function verifyFile(car: CarFile, expected: Expected, options: Checks): Promise<VerificationView> {
  const blocks = new CarBlocks(car)
  const getBlock = async (cid: CID): Promise<Uint8Array> => {
    const bytes = await blocks.get(cid)
    if (bytes !== undefined) return bytes
    throw new LedgerError('INVALID_CONTENT', `the file lacks the block ${cid.toString()}${endOf(car)}`)
  }
  const { root, genesis: genesisCid } = rootsOf(car.roots)
  const genesis = readGenesis(await getBlock(genesisCid))
  if (genesis.cid.toString() !== genesisCid.toString())
    throw new LedgerError('INVALID_CONTENT', 'the genesis in the file does not hash to its CID')
  if (expected.genesis !== undefined && expected.genesis.cid.toString() !== genesisCid.toString())
    throw new LedgerError('INVALID_CONTENT', `the file is of the ledger ${genesisCid.toString()}, another one`)
  if (expected.root !== undefined && expected.root.toString() !== root.toString())
    throw new LedgerError('INVALID_CONTENT', `the file has the root ${root.toString()}, not the one asked for`)
  const tally = await verifyLedger({ root, genesis, getBlock, ...options })
  await blocks.drain()
  if (car.damage !== undefined) throw new LedgerError('INVALID_CONTENT', `the file is damaged${endOf(car)}`)
  return verificationView(genesis, root, tally)
}

/** The two roots of a ledger's CAR file. */
export function rootsOf(roots: readonly CID[]): { root: CID; genesis: CID } {
  const [root, genesis] = roots
  if (root === undefined || genesis === undefined || roots.length !== 2)
    throw new LedgerError('INVALID_CONTENT', 'the file has not the two roots of a ledger: root and genesis')
  return { root, genesis }
}

/** The end of a sentence that says where a damaged file ends. */
export function endOf({ damage }: CarFile): string {
  return damage === undefined ? '' : `: ${damage.reason} at byte ${damage.at}, after ${damage.blocks} whole blocks`
}

function readGenesis(bytes: Uint8Array): GenesisBlock {
  try {
    return decodeGenesis(bytes)
  } catch (error) {
    throw new LedgerError('INVALID_CONTENT', `the file has no genesis of a ledger: ${(error as Error).message}`, error)
  }
}

export function verificationView(genesis: GenesisBlock, root: CID, tally: Tally): VerificationView {
  const balances = tally.balances()
  return {
    genesis: genesis.cid.toString(),
    network: genesis.genesis.network,
    root: root.toString(),
    ...tally.counts(),
    balances: balancesCid(balances).toString(),
    accounts: balances.map(([account, standing]) => describeBalance(account, standing))
  }
}

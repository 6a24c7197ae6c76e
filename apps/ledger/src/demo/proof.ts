import { verifyCar } from '../node/verify.ts'
import { CID } from 'multiformats/cid'
import { LedgerError } from '../errors.ts'
import { type Branch, branches } from './accounts.ts'
import type { Crew } from './crew.ts'
import { expectedBalances, type Input } from './input.ts'

export interface Proof {
  readonly entries: number
  readonly rejected: number
  readonly roots: readonly string[]
  readonly balances: readonly string[]
  readonly balancesEqual: boolean
  readonly documents: number
  readonly verified: number
}

/** Whether all peers report the same state and wait for nothing. */
export function agrees(crew: Crew, least: number): boolean {
  const statuses = branches.map((name) => (crew.life(name) === 'up' ? crew.status(name) : undefined))
  const [first] = statuses
  return statuses.every(
    (status) =>
      status !== undefined &&
      status.root === first?.root &&
      status.balances === first.balances &&
      status.entries >= least &&
      status.missing === 0 &&
      status.documents.kept === status.documents.known
  )
}

/** Checks the reports of the peers against the input and against an independent count. Throws at the first difference. */
export async function prove(
  crew: Crew,
  input: Input,
  accounts: Readonly<Record<Branch, string>>,
  expectedEntries: number
): Promise<Proof> {
  const statuses = await Promise.all(branches.map(async (name) => await crew.refresh(name)))
  const [first] = statuses
  if (first === undefined) throw new LedgerError('UNAVAILABLE', 'no peer runs')
  const balancesEqual = statuses.every(({ balances }) => balances === first.balances)
  require(statuses.every(({ root }) => root === first.root), 'the peers have different roots')
  require(balancesEqual, 'the peers have different balances')
  // Others may have written through the APIs. Then the CSV alone does not determine the balances.
  if (first.entries === expectedEntries) await checkBalances(crew, expectedBalances(input, accounts))
  await checkDocuments(crew, input)
  const verified = await verifyOne(crew, first.root, first.balances)
  return {
    entries: first.entries,
    rejected: first.rejected,
    roots: statuses.map(({ root }) => root),
    balances: statuses.map(({ balances }) => balances),
    balancesEqual,
    documents: input.documents.length,
    verified
  }
}

async function checkBalances(crew: Crew, expected: ReadonlyMap<string, bigint>): Promise<void> {
  for (const { name, ledger } of crew.peers()) {
    const balances = new Map((await ledger.balances()).map(({ account, balance }) => [account, BigInt(balance)]))
    for (const [account, amount] of expected)
      require(balances.get(account) === amount, `${name} has a balance for ${account} that the CSV contradicts`)
  }
}

/** Reads each document from each peer. */
async function checkDocuments(crew: Crew, input: Input): Promise<void> {
  const [any] = crew.peers()
  if (any === undefined) return
  const cids = new Map<string, string>()
  for (let after: string | undefined; ;) {
    const page = await any.ledger.entries({ limit: 1_000, after })
    for (const entry of page.entries)
      if (entry.type === 'record' && entry.reference !== undefined) cids.set(entry.reference, entry.content)
    if (page.next === undefined) break
    after = page.next
  }
  for (const document of input.documents) {
    const cid = cids.get(document.reference)
    require(cid !== undefined, `${document.name} is not in the ledger`)
    for (const { name, ledger } of crew.peers()) {
      const { body } = await ledger.content(cid ?? '', { signal: AbortSignal.timeout(60_000) })
      const chunks: Uint8Array[] = []
      for await (const chunk of body) chunks.push(chunk)
      require(Buffer.concat(chunks).equals(document.content), `${name} gives other bytes for ${document.name}`)
    }
  }
}

async function verifyOne(crew: Crew, root: string, balances: string): Promise<number> {
  const [any] = crew.peers()
  if (any === undefined) return 0
  const verification = await verifyCar(any.ledger.exportCar(), { root: CID.parse(root) })
  require(verification.balances === balances, 'a count from the root alone gives other balances')
  return verification.entries
}

function require(condition: boolean, otherwise: string): void {
  if (!condition) throw new LedgerError('INVALID_CONTENT', otherwise)
}

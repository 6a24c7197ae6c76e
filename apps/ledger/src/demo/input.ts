import { readdir, readFile } from 'node:fs/promises'
import { LedgerError } from '../errors.ts'
import { mediaTypeOf } from '../cli/media-types.ts'
import { parseAmount } from '../rules/fields.ts'
import { type Branch, branches, initialBalance, memberIdentity, members } from './accounts.ts'
import { parseCsv } from './csv.ts'

/** One entry that a branch's peer is asked to write. Its reference makes asking twice harmless. */
export type Task =
  | {
      readonly type: 'transfer'
      readonly reference: string
      readonly to: string
      readonly amount: bigint
      readonly memo: string
    }
  | {
      readonly type: 'record'
      readonly reference: string
      readonly name: string
      readonly mediaType: string
      readonly content: Uint8Array
    }

export interface Input {
  readonly tasks: Readonly<Record<Branch, readonly Task[]>>
  readonly documents: readonly Extract<Task, { type: 'record' }>[]
  readonly count: number
}

const examples = new URL('../../examples/', import.meta.url)

/** Reads the example's files and assigns the tasks to the branches: transfers by payer, documents in turn. */
export async function readInput(accounts: Readonly<Record<Branch, string>>): Promise<Input> {
  const names = new Map<string, string>(Object.entries(accounts))
  for (const name of members) names.set(name, (await memberIdentity(name)).id)
  const tasks: Record<Branch, Task[]> = { alder: [], birch: [], cedar: [] }
  for (const row of parseCsv(await readFile(new URL('transfers.csv', examples), 'utf8'))) {
    const { number = '', from = '', to = '', amount = '', memo = '' } = row
    const account = names.get(to)
    if (account === undefined || !isBranch(from))
      throw new LedgerError('INVALID_ARGUMENT', `transfers.csv, number ${number}: ${from} or ${to} is not known`)
    tasks[from].push({
      type: 'transfer',
      reference: `transfers.csv#${number}`,
      to: account,
      amount: parseAmount(`transfers.csv, number ${number}: amount`, amount),
      memo
    })
  }
  const documents = await readDocuments()
  const count = Object.values(tasks).reduce((sum, { length }) => sum + length, documents.length)
  for (const [i, document] of documents.entries()) {
    const list = tasks[branches[i % branches.length] ?? 'alder']
    // Place the document between the transfers, not after them.
    list.splice(Math.floor((list.length * (i + 1)) / (documents.length + 1)), 0, document)
  }
  return { tasks, documents, count }
}

/** The balances after these tasks alone. No payment of the example depends on another one. */
export function expectedBalances(input: Input, accounts: Readonly<Record<Branch, string>>): Map<string, bigint> {
  const balances = new Map<string, bigint>(branches.map((branch) => [accounts[branch], initialBalance]))
  const add = (account: string, amount: bigint): unknown =>
    balances.set(account, (balances.get(account) ?? 0n) + amount)
  for (const branch of branches)
    for (const task of input.tasks[branch]) {
      if (task.type === 'record' || task.amount > initialBalance) continue
      add(accounts[branch], -task.amount)
      add(task.to, task.amount)
    }
  return balances
}

async function readDocuments(): Promise<Extract<Task, { type: 'record' }>[]> {
  const folder = new URL('documents/', examples)
  const names = (await readdir(folder)).sort()
  return await Promise.all(
    names.map(async (name) => ({
      type: 'record' as const,
      reference: `documents/${name}`,
      name,
      mediaType: mediaTypeOf(name),
      content: new Uint8Array(await readFile(new URL(name, folder)))
    }))
  )
}

function isBranch(name: string): name is Branch {
  return (branches as readonly string[]).includes(name)
}

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { homeGenesis, initHome, prepareHome } from '../node/home.ts'
import { encodeGenesis } from '../rules/genesis.ts'
import { type Branch, branches, initialBalance } from './accounts.ts'

export interface DemoNetwork {
  readonly accounts: Readonly<Record<Branch, string>>
  readonly genesis: string
  /** Whether it existed before. */
  readonly resumed: boolean
  folderOf(name: Branch): string
}

/** Creates the three folders, their keys and one genesis, or finds those of an earlier start. */
export async function prepareNetwork(folder: string): Promise<DemoNetwork> {
  const folderOf = (name: Branch): string => join(folder, name)
  const accounts: Record<Branch, string> = { alder: '', birch: '', cedar: '' }
  for (const branch of branches) accounts[branch] = (await prepareHome(folderOf(branch))).id
  // It is written to alder first, so an interrupted start continues with the same genesis.
  const known = await homeGenesis(folderOf('alder'))
  const genesis =
    known ??
    encodeGenesis({
      network: 'Hillside Tool Library',
      balances: new Map(branches.map((branch) => [accounts[branch], initialBalance])),
      witnesses: branches.map((branch) => accounts[branch]),
      salt: randomBytes(16)
    })
  for (const branch of branches) await initHome(folderOf(branch), genesis)
  return { accounts, genesis: genesis.cid.toString(), resumed: known !== undefined, folderOf }
}

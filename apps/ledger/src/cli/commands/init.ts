import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { LedgerError } from '../../errors.ts'
import { homeGenesis, initHome, parseGenesis, prepareHome } from '../../node/home.ts'
import { parseAmount } from '../../rules/fields.ts'
import { encodeGenesis, type GenesisBlock } from '../../rules/genesis.ts'
import { describeGenesis } from '../../service/describe.ts'
import type { CommandContext } from '../context.ts'

interface InitOptions {
  readonly network: string
  readonly balance?: readonly string[] | undefined
  readonly witness?: readonly string[] | undefined
  readonly genesis?: string | undefined
}

export async function init(context: CommandContext, options: InitOptions): Promise<void> {
  const path = resolve(context.options.dir)
  const known = await homeGenesis(path)
  if (known !== undefined && options.genesis === undefined)
    throw new LedgerError('INVALID_ARGUMENT', `there is a ledger in ${path} already: choose another folder`)
  // Read before anything is created: a wrong file leaves no folder behind.
  const given = options.genesis === undefined ? undefined : await readGenesis(options.genesis)
  const { id: account } = await prepareHome(path)
  const genesis = given ?? newGenesis(account, options)
  await initHome(path, genesis)
  const file = join(path, 'genesis.cbor')
  context.output.result({ account, dir: path, file, genesis: describeGenesis(genesis) }, () => [
    `ledger   ${genesis.cid.toString()} (${genesis.genesis.network})`,
    `account  ${account}`,
    `genesis  ${file}: give it to the peers that are to join`
  ])
}

async function readGenesis(file: string): Promise<GenesisBlock> {
  const bytes = await readFile(file).catch((error: Error) => {
    // Node's error has no path if reading fails after opening, as for a folder.
    throw Object.assign(error, { path: file })
  })
  return parseGenesis(bytes, file)
}

function newGenesis(account: string, options: InitOptions): GenesisBlock {
  const balances = (options.balance ?? [`${account}=1000000`]).map(parseBalance)
  const names = balances.map(([name]) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new LedgerError('INVALID_ARGUMENT', `--balance names ${twice} twice`)
  return encodeGenesis({
    network: options.network,
    balances: new Map(balances),
    witnesses: options.witness ?? [account],
    salt: randomBytes(16)
  })
}

function parseBalance(text: string): [string, bigint] {
  const [account = '', amount = '', ...rest] = text.split('=')
  if (rest.length > 0) throw new LedgerError('INVALID_ARGUMENT', `--balance must look like account=amount`)
  return [account, parseAmount('the amount of --balance', amount)]
}

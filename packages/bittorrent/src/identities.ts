import { randomBytes } from 'node:crypto'
import type { Table } from '@p2pl/embedded'
import { failure } from './errors.ts'
import { identityOf, type Identity } from './overlay/identity.ts'
import { seedLength } from './overlay/wire/certificate.ts'
import { fromText, textOf } from './tools/bytes.ts'

/** What is kept where there is no folder, from one start to the next. */
export interface Memory {
  identity?: Identity | undefined
}

/** Of the folder. The key makes the id since version 2. */
const version = '2'
const versionKey = fromText('version')
const seedKey = fromText('key')
const nodeKey = fromText('node')
/** Where version 1 kept its ids. */
const formerKey = fromText('ids')
const nodeIdLength = 20

/** The identity that is kept in the folder, or a new one. Throws `STORAGE` for a folder of another version. */
export async function identityIn(table: Table, dir: string): Promise<Identity> {
  const found = await table.get(versionKey)
  const other = found === undefined ? (await table.has(formerKey)) && '1' : textOf(found) !== version && textOf(found)
  if (typeof other === 'string')
    throw failure({
      code: 'STORAGE',
      operation: 'start',
      retryable: false,
      message: `the folder ${dir} was written by version ${other} of this format, and this is version ${version}: move it away; a new one is made, and content comes back from other peers`
    })
  const seed = (await table.get(seedKey)) ?? new Uint8Array(randomBytes(seedLength))
  const nodeId = (await table.get(nodeKey)) ?? new Uint8Array(randomBytes(nodeIdLength))
  await table.write([
    { key: versionKey, value: fromText(version) },
    { key: seedKey, value: seed },
    { key: nodeKey, value: nodeId }
  ])
  return identityOf(seed, nodeId)
}

export function newIdentity(): Identity {
  return identityOf(new Uint8Array(randomBytes(seedLength)))
}

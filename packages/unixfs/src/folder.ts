import { P2plError } from '@p2pl/core'
import { UnixFS } from 'ipfs-unixfs'
import { importer } from 'ipfs-unixfs-importer'
import type { ImporterOptions, ImportResult, InProgressImportResult, WritableStorage } from 'ipfs-unixfs-importer'
import type { Placed } from './file.ts'
import { metadata } from './metadata.ts'
import { type Folder, isFolder } from './tree.ts'

const profile: ImporterOptions = { profile: 'unixfs-v1-2025' }

/** Writes a folder after its contents. Only then does the importer know the folder's size, and whether to shard it. */
export async function writeFolder(folder: Folder, store: WritableStorage): Promise<Placed> {
  for (const [name, child] of folder.children) {
    if (isFolder(child)) folder.children.set(name, await writeFolder(child, store))
  }
  if (folder.children.size === 0)
    return await last(importer([{ path: 'x', ...metadata(folder) }], store, { ...profile }))
  return await last(importer([], store, { ...profile, dagBuilder: () => partsOf(folder) }))
}

/**
 * Makes the importer lay out directories around existing results. The folder itself comes first, because it carries mode
 * and mtime. The importer uses only these fields of a result, although its types ask for more.
 */
async function* partsOf(folder: Folder): AsyncGenerator<() => Promise<InProgressImportResult>> {
  const own: unknown = { path: 'x', unixfs: new UnixFS({ type: 'directory', ...metadata(folder) }) }
  yield async () => own as InProgressImportResult
  for (const [name, child] of folder.children) {
    const { cid, blockBytes } = child as Placed
    const part: unknown = { cid, size: BigInt(blockBytes), path: `x/${name}` }
    yield async () => part as InProgressImportResult
  }
}

async function last(results: AsyncIterable<ImportResult>): Promise<Placed> {
  let result: ImportResult | undefined
  for await (const each of results) result = each
  if (result !== undefined) return { cid: result.cid, blockBytes: Number(result.size) }
  throw new P2plError({ code: 'ENGINE', operation: 'unixfs.addDirectory', message: 'the importer gave no result' })
}

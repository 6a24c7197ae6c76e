import { P2plError } from '@p2pl/core'
import { importer } from 'ipfs-unixfs-importer'
import type { ImporterOptions, ImportResult, WritableStorage } from 'ipfs-unixfs-importer'
import type { CID } from 'multiformats/cid'
import { balancedLayout } from './layout.ts'
import type { DirectoryEntry } from './types.ts'

type Metadata = Pick<DirectoryEntry, 'mode' | 'mtime'>

/** `blockWriteConcurrency`: the importer holds that many chunks of each file in memory. */
export const profile: ImporterOptions = { profile: 'unixfs-v1-2025', blockWriteConcurrency: 4 }

/** Lays out one file. */
export async function layOut(
  content: AsyncIterable<Uint8Array>,
  store: WritableStorage,
  from: Metadata
): Promise<ImportResult> {
  const extra = metadata(from)
  return await last(importer([{ content, ...extra }], store, { ...profile, layout: balancedLayout(store, extra) }))
}

/** The CID that these bytes get without mode and mtime. Nothing is stored. */
export async function fileCid(content: AsyncIterable<Uint8Array>): Promise<CID> {
  return (await layOut(content, { put: async (cid) => cid }, {})).cid
}

export async function last(results: AsyncIterable<ImportResult>): Promise<ImportResult> {
  let result: ImportResult | undefined
  for await (const each of results) result = each
  if (result === undefined)
    throw new P2plError({ code: 'ENGINE', operation: 'unixfs.addDirectory', message: 'the importer gave no result' })
  return { cid: result.cid, size: result.size }
}

export function metadata({ mode, mtime }: Metadata): {
  mode?: number
  mtime?: { secs: bigint; nsecs?: number }
} {
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(mtime === undefined
      ? {}
      : { mtime: mtime.nsecs === undefined ? { secs: mtime.secs } : { secs: mtime.secs, nsecs: mtime.nsecs } })
  }
}

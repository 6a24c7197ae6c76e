import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream'
import { headers, nuid as nuids } from '@nats-io/transport-node'
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'

// Objects in buckets, laid out as all NATS clients do it (ADR-20). The library for it trusts what it finds: a link in the bucket of a
// stranger makes it create other buckets, and an id with wildcards in it makes it remove the bytes of all objects.

const chunkBytes = 512 * 1024
/** Each is a request. The largest block has 2048 even where the server takes no message of more than 1 KiB. */
const maxChunks = 2_048

export const streamOf = (bucket: string): string => `OBJ_${bucket}`
export const chunksOf = (bucket: string, nuid: string): string => `$O.${bucket}.C.${nuid}`

/** `name` is ASCII. */
export function infoOf(bucket: string, name: string): string {
  return `$O.${bucket}.M.${Buffer.from(name).toString('base64').replaceAll('+', '-').replaceAll('/', '_')}`
}

/** The name in a subject of `infoOf`. */
export function nameIn(subject: string): string {
  return Buffer.from(subject.split('.').at(-1) ?? '', 'base64url').toString()
}

export interface ObjectInfo {
  readonly nuid: string
  readonly size: number
}

/** What the bucket says of the object; `undefined` where it has none, or something that is none. */
export async function readInfo(
  { direct }: JetStreamManager,
  bucket: string,
  name: string
): Promise<ObjectInfo | undefined> {
  const found = await direct.getMessage(streamOf(bucket), { last_by_subj: infoOf(bucket, name) })
  if (found === null) return undefined
  try {
    const { nuid, size, deleted, options } = found.json<Record<string, unknown>>()
    const isObject = typeof nuid === 'string' && /^\w{1,64}$/.test(nuid) && typeof size === 'number' && size >= 0
    const isLink = (options as { link?: unknown } | undefined)?.link !== undefined
    return isObject && deleted !== true && !isLink ? { nuid, size } : undefined
  } catch {
    return undefined
  }
}

/** The bytes of the object; `undefined` where there is none, or one that has not as many bytes as it says, more than `maxBytes`, or more than 2048 chunks. */
export async function readObject(
  manager: JetStreamManager,
  bucket: string,
  name: string,
  maxBytes: number
): Promise<Uint8Array | undefined> {
  const info = await readInfo(manager, bucket, name)
  if (info === undefined || info.size > maxBytes) return undefined
  const bytes = new Uint8Array(info.size)
  for (let [length, seq, chunks] = [0, 1, 0]; length < bytes.length; chunks++) {
    if (chunks === maxChunks) return undefined
    const query = { seq, next_by_subj: chunksOf(bucket, info.nuid) }
    const chunk = await manager.direct.getMessage(streamOf(bucket), query)
    if (chunk === null || chunk.data.length === 0 || length + chunk.data.length > bytes.length) return undefined
    bytes.set(chunk.data, length)
    length += chunk.data.length
    seq = chunk.seq + 1
  }
  return bytes
}

export interface Writer {
  readonly js: JetStreamClient
  readonly manager: JetStreamManager
  /** Most bytes of a message. */
  readonly maxPayload: number
}

/** Stores the object, in place of the one that has the name. What a failure leaves is removed, as far as the server lets it be. */
export async function writeObject(
  { js, manager, maxPayload }: Writer,
  bucket: string,
  name: string,
  bytes: Uint8Array
): Promise<void> {
  const old = await readInfo(manager, bucket, name)
  const nuid = nuids.next()
  const clear = async (id: string): Promise<unknown> =>
    await manager.streams.purge(streamOf(bucket), { filter: chunksOf(bucket, id) })
  const size = bytes.byteLength
  const chunk = Math.min(chunkBytes, maxPayload)
  try {
    let chunks = 0
    for (; chunks * chunk < size; chunks++)
      await js.publish(chunksOf(bucket, nuid), bytes.subarray(chunks * chunk, (chunks + 1) * chunk))
    const digest = `SHA-256=${createHash('sha256').update(bytes).digest('base64').replaceAll('+', '-').replaceAll('/', '_')}`
    const info = { name, bucket, nuid, size, chunks, digest, mtime: new Date().toISOString(), deleted: false }
    const rollup = headers()
    rollup.set('Nats-Rollup', 'sub')
    await js.publish(infoOf(bucket, name), JSON.stringify({ ...info, options: { max_chunk_size: chunk } }), {
      headers: rollup
    })
  } catch (error) {
    await clear(nuid).catch(() => undefined)
    throw error
  }
  if (old !== undefined) await clear(old.nuid)
}

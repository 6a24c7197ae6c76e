import { isDictionary, isList, isSize, type Bencoded } from '../../tools/bencode.ts'
import { UnsupportedTorrent } from './unsupported.ts'

/** The single file of a torrent, and its place among the bytes of the pieces. */
export interface TorrentFile {
  readonly file: { readonly offset: number; readonly length: number }
  /** As the torrent gives it. */
  readonly name: Uint8Array
  readonly total: number
}

/**
 * The file of a torrent, or of a folder with one file. Padding between and after files (BEP 47) does not count as a
 * file.
 */
export function filesOf(info: Readonly<Record<string, Bencoded | undefined>>): TorrentFile {
  const { length, files } = info
  if (files !== undefined) return onlyFile(files)
  const name = nameOf(info, 'name')
  if (!isSize(length) || !(name instanceof Uint8Array)) throw new RangeError('it has no length or no name')
  return { file: { offset: 0, length }, name, total: length }
}

function onlyFile(files: Bencoded): TorrentFile {
  if (!isList(files) || files.length === 0) throw new RangeError('its list of files is empty')
  let total = 0
  let found: Omit<TorrentFile, 'total'> | undefined
  let count = 0
  for (const entry of files) {
    const { length, path, kind } = readFile(entry)
    const offset = total
    total += length
    if (!Number.isSafeInteger(total)) throw new RangeError('its files have more bytes than a number can say')
    if (kind === 'padding') continue
    if (kind === 'link')
      throw new UnsupportedTorrent('it has a symbolic link; only torrents with one file can be taken in')
    count++
    found = { file: { offset, length }, name: path.at(-1) ?? new Uint8Array() }
  }
  if (found !== undefined && count === 1) return { ...found, total }
  throw new UnsupportedTorrent(`it has ${count} files; only torrents with one file can be taken in`)
}

interface Entry {
  readonly length: number
  readonly path: readonly Uint8Array[]
  readonly kind: 'file' | 'padding' | 'link'
}

function readFile(entry: Bencoded): Entry {
  if (!isDictionary(entry)) throw new RangeError('one of its files is not a dictionary')
  const { length, attr } = entry
  const path = nameOf(entry, 'path')
  if (!isSize(length) || path === undefined || !isList(path) || path.length === 0 || !path.every(isBytes))
    throw new RangeError('one of its files has no length or no path')
  const flags = attr instanceof Uint8Array ? Buffer.from(attr).toString('latin1') : ''
  // Older clients mark padding only by its name.
  const [first] = path.map((part) => Buffer.from(part).toString('latin1'))
  const padding = flags.includes('p') || first === '.pad' || first?.startsWith('_____padding_file_') === true
  return { length, path, kind: padding ? 'padding' : flags.includes('l') ? 'link' : 'file' }
}

/** Some clients add a UTF-8 form next to the name in a local encoding. */
function nameOf(entry: Readonly<Record<string, Bencoded | undefined>>, key: string): Bencoded | undefined {
  return entry[`${key}.utf-8`] ?? entry[key]
}

function isBytes(value: Bencoded): value is Uint8Array {
  return value instanceof Uint8Array
}

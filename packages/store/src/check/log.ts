import { concatBytes } from '@p2pl/core/backend'
import { crc32c, masked } from './crc32c.ts'

const blockBytes = 32_768
const headerBytes = 7
const sectorBytes = 512
const [full, first, middle, last] = [1, 2, 3, 4]

/** What stands in a log of LevelDB, which its manifest is, too. */
export interface LogContent {
  readonly records: readonly { readonly start: number; readonly bytes: Uint8Array }[]
  /** Where the first record starts that is not whole. */
  readonly wrongAt?: number
  /** What a crash leaves behind: the file stops in the record, or has zeros where the disk did not come to write. */
  readonly unfinished?: boolean
}

/** Reads as LevelDB does, but stops at the first byte that is wrong: LevelDB goes on behind it and leaves a hole. */
export function readLog(file: Uint8Array): LogContent {
  const records: { start: number; bytes: Uint8Array }[] = []
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  let fragments: Uint8Array[] = []
  let start = 0
  const wrong = (unfinished: boolean): LogContent => ({ records, wrongAt: start, unfinished })
  for (let at = 0; at < file.length;) {
    const left = blockBytes - (at % blockBytes)
    if (left < headerBytes) {
      at += left
      continue
    }
    if (fragments.length === 0) start = at
    if (at + headerBytes > file.length) return wrong(true)
    const length = view.getUint16(at + 4, true)
    const end = at + headerBytes + length
    const type = file[at + 6] as number
    const whole = headerBytes + length <= left
    if (whole && end > file.length) return wrong(true)
    const sum = whole && masked(crc32c(file.subarray(at + 6, end))) === view.getUint32(at, true)
    const expected = fragments.length === 0 ? type === full || type === first : type === middle || type === last
    if (!sum || !expected) return wrong(hasHole(file, at))
    fragments.push(file.subarray(at + headerBytes, end))
    if (type === full || type === last) {
      records.push({ start, bytes: fragments.length === 1 ? (fragments[0] as Uint8Array) : concatBytes(...fragments) })
      fragments = []
    }
    at = end
  }
  return fragments.length === 0 ? { records } : wrong(true)
}

/** A loss of power leaves whole sectors of zeros: the file had its length already, and not its bytes. */
function hasHole(file: Uint8Array, at: number): boolean {
  const end = Math.min(file.length, at - (at % blockBytes) + blockBytes)
  for (let sector = at; sector < end; sector = sector - (sector % sectorBytes) + sectorBytes) {
    const bytes = file.subarray(sector, Math.min(end, sector - (sector % sectorBytes) + sectorBytes))
    if (bytes.length >= headerBytes && bytes.every((byte) => byte === 0)) return true
  }
  return false
}

import { concatBytes } from '@p2pl/core/backend'
import { crc32c, masked } from './crc32c.ts'

const blockBytes = 32_768
const headerBytes = 7
const sectorBytes = 512
const [full, first, middle, last] = [1, 2, 3, 4]

/** The content of a LevelDB log. A manifest has the same format. */
export interface LogContent {
  readonly records: readonly { readonly start: number; readonly bytes: Uint8Array }[]
  /** Where the first incomplete record starts. */
  readonly wrongAt?: number
  /**
   * Whether a crash explains the damage: the file ends inside the record, or has zeros that the disk did not overwrite
   * in time.
   */
  readonly unfinished?: boolean
}

/** Reads a log as LevelDB does, but stops at the first wrong byte. LevelDB continues after it and leaves a hole. */
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

/** A power failure leaves whole sectors of zeros: the file already had its length, but not its bytes. */
function hasHole(file: Uint8Array, at: number): boolean {
  const end = Math.min(file.length, at - (at % blockBytes) + blockBytes)
  for (let sector = at; sector < end; sector = sector - (sector % sectorBytes) + sectorBytes) {
    const bytes = file.subarray(sector, Math.min(end, sector - (sector % sectorBytes) + sectorBytes))
    if (bytes.length >= headerBytes && bytes.every((byte) => byte === 0)) return true
  }
  return false
}

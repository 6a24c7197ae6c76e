/** Checks of data from the network. */

export function isTuple(value: unknown, length: number): value is unknown[] {
  return Array.isArray(value) && value.length === length
}

export function isBytes(value: unknown, length?: number): value is Uint8Array {
  return value instanceof Uint8Array && (length === undefined || value.byteLength === length)
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

export function isText(value: unknown, max: number): value is string {
  return typeof value === 'string' && value.length <= max
}

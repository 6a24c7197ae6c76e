import { failure } from './errors.ts'
import { maxChannel, maxName } from './wire/frame.ts'

const maxRoomName = 256

export function checkKeys(operation: string, options: object, known: readonly string[]): void {
  const wrong = Object.keys(options).find((key) => !known.includes(key))
  if (wrong === undefined) return
  throw failure(
    'INVALID_ARGUMENT',
    operation,
    `${operation}: there is no option ${JSON.stringify(wrong.slice(0, 80))}; the options are ${known.join(', ')}`
  )
}

export function checkNumber(
  name: string,
  value: number | undefined,
  min: number,
  max: number,
  otherwise: number
): number {
  if (value === undefined) return otherwise
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw failure(
    'INVALID_ARGUMENT',
    'joinRoom',
    `joinRoom: ${name} must be a whole number from ${min} to ${max}, not ${String(value)}`
  )
}

function checkText(operation: string, what: string, value: unknown, max: number): string {
  if (typeof value === 'string' && value.length >= 1 && value.length <= max && value.isWellFormed()) return value
  throw failure('INVALID_ARGUMENT', operation, `${operation}: ${what} must be a text of 1 to ${max} characters`)
}

export function checkRoomName(name: unknown): string {
  return checkText('joinRoom', 'the name of a room', name, maxRoomName)
}

export function checkName(operation: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : checkText(operation, 'name', name, maxName)
}

/** Names that begin with a zero byte are the package's own. */
export function checkChannelName(name: unknown): string {
  const text = checkText('channel', 'the name of a channel', name, maxChannel)
  if (!text.startsWith('\0')) return text
  throw failure('INVALID_ARGUMENT', 'channel', 'channel: the name of a channel cannot begin with a zero byte')
}

import { describe, invalidArgument } from '@p2pl/core/backend'
import { maxChannel, maxName } from './wire/frame.ts'

const maxRoomName = 256

function checkText(operation: string, what: string, value: unknown, max: number): string {
  if (typeof value === 'string' && value.length >= 1 && value.length <= max && value.isWellFormed()) return value
  throw invalidArgument(
    operation,
    `${operation}: ${what} must be a text of 1 to ${max} characters, not ${describe(value)}`
  )
}

export function checkRoomName(name: unknown): string {
  return checkText('joinRoom', 'the name of a room', name, maxRoomName)
}

export function checkName(operation: string, name: string | undefined): string | undefined {
  return name === undefined ? undefined : checkText(operation, 'name', name, maxName)
}

export function checkCertificate(account: unknown): void {
  if (account === undefined || (typeof account === 'string' && account !== '')) return
  throw invalidArgument('joinRoom', 'joinRoom: account must be the text that certifyDevice gave, awaited')
}

/** Names that begin with a zero byte are reserved for the package. */
export function checkChannelName(name: unknown): string {
  const text = checkText('channel', 'the name of a channel', name, maxChannel)
  if (!text.startsWith('\0')) return text
  throw invalidArgument('channel', 'channel: the name of a channel cannot begin with a zero byte')
}

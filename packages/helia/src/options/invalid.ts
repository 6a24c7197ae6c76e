import { invalidArgument, type P2plError } from '@p2pl/core/backend'

/** `INVALID_ARGUMENT` that names an option by its path. */
export function invalid(option: string, message: string): P2plError {
  return invalidArgument('helia', `helia: ${option} ${message}`)
}

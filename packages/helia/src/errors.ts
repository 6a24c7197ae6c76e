import type { ErrorCode } from '@p2pl/core/backend'
import { createFailures, type Failures } from '@p2pl/embedded'

export const backendName = 'helia'

/** What the modules of the engine throw, by the name of the error. Names are part of their API; messages are not. */
const codesByName: Readonly<Record<string, ErrorCode>> = {
  ConnectionClosedError: 'UNREACHABLE',
  ConnectionClosingError: 'UNREACHABLE',
  ConnectionFailedError: 'UNREACHABLE',
  DialDeniedError: 'UNREACHABLE',
  DialError: 'UNREACHABLE',
  EncryptionFailedError: 'UNREACHABLE',
  InvalidCryptoExchangeError: 'UNREACHABLE',
  InvalidCIDError: 'INVALID_ARGUMENT',
  InvalidMultiaddrError: 'INVALID_ARGUMENT',
  InvalidPeerIdError: 'INVALID_ARGUMENT',
  LimitedConnectionError: 'UNREACHABLE',
  MuxerClosedError: 'UNREACHABLE',
  MuxerUnavailableError: 'UNREACHABLE',
  NoValidAddressesError: 'UNREACHABLE',
  NotFoundError: 'NOT_FOUND',
  NotStartedError: 'NOT_RUNNING',
  ProtocolError: 'PROTOCOL',
  QueueFullError: 'OVERLOADED',
  StreamResetError: 'UNREACHABLE',
  TimeoutError: 'TIMEOUT',
  TooManyOutboundProtocolStreamsError: 'OVERLOADED',
  UnexpectedPeerError: 'UNREACHABLE',
  UnsupportedListenAddressesError: 'INVALID_ARGUMENT',
  UnsupportedProtocolError: 'PROTOCOL'
}

export const failures: Failures = createFailures(backendName, codesByName)
export const failure: Failures['failure'] = failures.failure
export const notRunning: Failures['notRunning'] = failures.notRunning
export const classify: Failures['classify'] = failures.classify

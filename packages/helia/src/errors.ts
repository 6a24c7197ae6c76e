import type { BackendDefinition } from '@p2pl/core/backend'
import { classifier } from '@p2pl/embedded'

/** Classifies errors of the engine's modules by name. The names are part of their API; the messages are not. */
export const classify: NonNullable<BackendDefinition['classify']> = classifier({
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
})

import { P2plError, type P2plErrorInit } from '@p2pl/core/backend'

export const backendName = 'bittorrent'

/** An error of this backend. */
export function failure(init: P2plErrorInit): P2plError {
  return new P2plError({ backend: backendName, ...init })
}

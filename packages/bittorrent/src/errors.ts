import { P2plError, type BackendDefinition, type P2plErrorInit } from '@p2pl/core/backend'
import { classifier } from '@p2pl/embedded'

export const backendName = 'bittorrent'

export const classify: NonNullable<BackendDefinition['classify']> = classifier()

export function failure(init: P2plErrorInit): P2plError {
  return new P2plError({ backend: backendName, ...init })
}

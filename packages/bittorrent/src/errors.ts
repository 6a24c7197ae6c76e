import { createFailures, type Failures } from '@p2pl/embedded'

export const backendName = 'bittorrent'

export const failures: Failures = createFailures(backendName)
export const failure: Failures['failure'] = failures.failure
export const notRunning: Failures['notRunning'] = failures.notRunning
export const classify: Failures['classify'] = failures.classify

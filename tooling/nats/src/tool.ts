import type { GoTool } from '@p2pl/tooling-go-tool'
import { join } from 'node:path'

export const natsServer: GoTool = {
  name: 'nats-server',
  folder: join(import.meta.dirname, '..'),
  module: 'github.com/nats-io/nats-server/v2',
  command: 'github.com/nats-io/nats-server/v2',
  binary: 'nats-server',
  variable: 'NATS_SERVER',
  args: ['-ldflags', '-s -w'],
  takes: 'about a minute on two cores'
}

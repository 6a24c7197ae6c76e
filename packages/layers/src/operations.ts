/** Every call of the port, in the dotted form that errors carry, too. */
export const operations = [
  'start',
  'stop',
  'messages.publish',
  'messages.subscribe',
  'messages.peers',
  'blocks.get',
  'blocks.put',
  'blocks.putMany',
  'blocks.has',
  'blocks.delete',
  'blocks.pin',
  'blocks.unpin',
  'blocks.pins',
  'blocks.gc',
  'blocks.getDag',
  'routing.provide',
  'routing.unprovide',
  'routing.findProviders',
  'routing.findPeer',
  'routing.connect',
  'routing.disconnect',
  'routing.connections'
] as const

export type Operation = (typeof operations)[number]

import { describe, expect, it } from 'vitest'
import { isLoopback, isPrivate, plainHost, ProfileGate } from '../src/index.ts'

const loopback = [
  '127.0.0.1',
  '127.255.0.9',
  '::1',
  '[::1]',
  '0:0:0:0:0:0:0:1',
  '::ffff:127.0.0.1',
  '::FFFF:7f00:1',
  'localhost'
]
const lan = [
  '10.0.0.1',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.9',
  '169.254.3.4',
  '100.64.0.1',
  '100.127.255.255',
  'fd12:3456::1',
  'fc00::',
  'fe80::1%eth0',
  'FEBF::2',
  '::ffff:192.168.0.1',
  '::ffff:c0a8:1',
  'printer.local'
]
const wide = [
  '1.1.1.1',
  '172.15.0.1',
  '172.32.0.1',
  '100.63.0.1',
  '100.128.0.1',
  '192.169.0.1',
  '169.253.0.1',
  '0.0.0.0',
  '2001:db8::1',
  'fec0::1',
  '::',
  '::ffff:1.1.1.1',
  'example.org',
  'local',
  '127.0.0.1.example.org',
  'fd12.example.org',
  // No addresses, whatever a name resolver makes of them.
  '127.1',
  '0x7f.0.0.1',
  '010.0.0.1',
  '192.168.0.256',
  '1::2::3',
  ':::1',
  'fd00:1',
  ''
]

describe('hosts', () => {
  it.each(loopback)('%s is the own machine', (host) => {
    expect([isLoopback(host), isPrivate(host)]).toEqual([true, true])
  })
  it.each(lan)('%s is the local network', (host) => {
    expect([isLoopback(host), isPrivate(host)]).toEqual([false, true])
  })
  it.each(wide)('"%s" is neither', (host) => {
    expect([isLoopback(host), isPrivate(host)]).toEqual([false, false])
  })
  it('have one form', () => {
    expect(plainHost('::FFFF:10.0.0.1')).toBe('10.0.0.1')
    expect(plainHost('2001:DB8::')).toBe(plainHost('2001:db8:0:0:0:0:0:0'))
    expect(plainHost('Example.ORG')).toBe('example.org')
  })
})

describe('a profile', () => {
  it('closed lets nobody in but the own machine and what the user names', () => {
    const gate = new ProfileGate('closed')
    expect([gate.allows('::1'), gate.allows('10.0.0.1'), gate.allows(undefined)]).toEqual([true, false, false])
    gate.allow('10.0.0.1')
    gate.allow('peer')
    expect([gate.allows('::ffff:10.0.0.1'), gate.allows('1.1.1.1', 'peer'), gate.allows(undefined, 'peer')]).toEqual([
      true,
      true,
      true
    ])
    gate.withdraw('10.0.0.1')
    expect(gate.allows('10.0.0.1')).toBe(false)
  })

  it('lan adds the local network, public everybody', () => {
    const gate = new ProfileGate('lan')
    expect([gate.allows('100.64.1.1'), gate.allows('node.local'), gate.allows('8.8.8.8')]).toEqual([true, true, false])
    expect(new ProfileGate('public').allows('8.8.8.8')).toBe(true)
    expect(new ProfileGate('public').allows(undefined)).toBe(true)
  })
})

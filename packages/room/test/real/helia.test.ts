import { roomOver } from './suite.ts'

roomOver('helia')

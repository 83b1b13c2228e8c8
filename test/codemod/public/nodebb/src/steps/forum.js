'use strict'

const { options } = require('../client')
const PubSub = require('../pubsub')

exports.createsTopics = async function (db) {
  await db.open()
  await db.setObject('topic:1', { tid: 1, title: 'Hello', deleted: 0, note: undefined, parent: null })
  await db.setObject(['topic:2', 'topic:3'], { title: 'Copies' })
  return [await db.getObject('topic:1'), await db.getObjects(['topic:2', 'topic:3', 'topic:9']), await db.getObject('none')]
}

exports.countsViews = async function (db) {
  await db.open()
  const one = await db.incrObjectFieldBy('topic:1', 'viewcount', 1)
  const both = await db.incrObjectFieldBy(['topic:1', 'topic:2'], 'viewcount', 5)
  return { one, both, has: await db.isObjectField('topic:1', 'viewcount'), gone: await db.deleteObjectFields('topic:1', ['viewcount', 'x']) }
}

exports.listsByScore = async function (db) {
  await db.open()
  await db.sortedSetAdd('topics:recent', 10, 1)
  await db.sortedSetAdd('topics:recent', [20, 30, 40.5], [2, 3, 4])
  return {
    range: await db.getSortedSetRange('topics:recent', 0, 1),
    reversed: await db.getSortedSetRevRange('topics:recent', 0, -1),
    scored: await db.getSortedSetRangeWithScores('topics:recent', 0, -1),
    reversedScored: await db.getSortedSetRevRangeWithScores('topics:recent', 0, 0),
    secondPage: await db.getSortedSetRangeByScore('topics:recent', 1, 2, '-inf', '+inf'),
    reversedPage: await db.getSortedSetRevRangeByScoreWithScores('topics:recent', 1, 2, '+inf', '-inf'),
    score: await db.sortedSetScore('topics:recent', 4),
    none: await db.sortedSetScore('topics:recent', 'x'),
    up: await db.sortedSetIncrBy('topics:recent', 1.5, 1),
  }
}

exports.worksOnManySets = async function (db) {
  await db.open()
  await db.sortedSetsAdd(['a', 'b'], 1, 'm')
  return {
    member: await db.isMemberOfSortedSets(['a', 'b', 'c'], 'm'),
    union: await db.sortedSetUnionCard(['a', 'b']),
    exists: await db.exists(['a', 'c']),
    one: await db.exists('a'),
  }
}

exports.rangesByLex = async function (db) {
  await db.open()
  await db.sortedSetAdd('tags', [0, 0, 0], ['a', 'b', 'c'])
  return [await db.getSortedSetRangeByLex('tags', '-', 'b'), await db.getSortedSetRangeByLex('tags', 'a', '+', 1, 1)]
}

exports.runsCommandsAsArrays = async function (db) {
  await db.open()
  return db.batchOfArrays([
    ['zadd', 'z', 1, 'a'],
    ['zrevrange', 'z', 0, -1],
    ['hmset', 'h', 'a', 1],
    ['zunionstore', 'u', 1, 'z'],
  ])
}

exports.keepsKeys = async function (db) {
  await db.open()
  await db.set('post:1', 'a')
  await db.set('post:2', 5)
  await db.pexpireAt('post:1', 4102444800000)
  await db.rename('post:2', 'post:3')
  await db.rename('missing', 'post:4')
  return {
    all: await db.scan({ match: 'post:*' }),
    many: await db.mget(['post:1', 'post:3', 'post:9']),
    type: await db.type('post:1'),
    none: await db.type('post:9'),
    up: await db.increment('post:3'),
    gone: await db.deleteAll(['post:1', 'post:9']),
  }
}

exports.addsToSetsAndLists = async function (db) {
  await db.open()
  const added = await db.setAdd('s', ['a', 'b', 'c'])
  await db.setRemove('s', ['b', 'c'])
  const length = await db.listPrepend('l', ['1', '2', '3'])
  return { added, length, trimmed: await db.listTrim('l', 0, 1) }
}

exports.publishesEvents = async function () {
  const pubsub = new PubSub(options)
  const received = new Promise((resolve) => pubsub.once('topic:new', resolve))
  pubsub.publish('topic:new', { tid: 7 })
  await pubsub.ready
  const data = await received
  pubsub.close()
  return data
}

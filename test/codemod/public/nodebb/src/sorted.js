'use strict'

const helpers = require('./helpers')

module.exports = function (db) {
  db.sortedSetAdd = async function (key, score, value) {
    if (Array.isArray(score)) {
      const args = [key]
      for (let i = 0; i < score.length; i += 1) args.push(score[i], String(value[i]))
      await db.client.zadd(args)
      return
    }
    await db.client.zadd(key, score, String(value))
  }

  db.sortedSetsAdd = async function (keys, score, value) {
    const batch = db.client.batch()
    keys.forEach((key) => batch.zadd(key, score, String(value)))
    await helpers.execBatch(batch)
  }

  db.getSortedSetRange = (key, start, stop) => range('zrange', key, start, stop, false)
  db.getSortedSetRevRange = (key, start, stop) => range('zrevrange', key, start, stop, false)
  db.getSortedSetRangeWithScores = (key, start, stop) => range('zrange', key, start, stop, true)
  db.getSortedSetRevRangeWithScores = (key, start, stop) => range('zrevrange', key, start, stop, true)

  async function range(method, key, start, stop, withScores) {
    const params = [key, start, stop]
    if (withScores) params.push('WITHSCORES')
    const data = await db.client[method](params)
    return withScores ? helpers.toObjects(data) : data
  }

  db.getSortedSetRangeByScore = async function (key, start, count, min, max) {
    return await db.client.zrangebyscore(key, min, max, 'LIMIT', start, count)
  }

  db.getSortedSetRevRangeByScoreWithScores = async function (key, start, count, max, min) {
    return helpers.toObjects(await db.client.zrevrangebyscore([key, max, min, 'WITHSCORES', 'LIMIT', start, count]))
  }

  db.sortedSetScore = async function (key, value) {
    const score = await db.client.zscore(key, String(value))
    return score === null ? score : parseFloat(score)
  }

  db.isMemberOfSortedSets = async function (keys, value) {
    const batch = db.client.batch()
    keys.forEach((key) => batch.zscore(key, String(value)))
    return (await helpers.execBatch(batch)).map((score) => score !== null && Number.isFinite(parseFloat(score)))
  }

  db.sortedSetIncrBy = async (key, by, value) => parseFloat(await db.client.zincrby(key, by, String(value)))

  db.getSortedSetRangeByLex = async function (key, min, max, start, count) {
    const args = [key, min === '-' ? min : `[${min}`, max === '+' ? max : `[${max}`]
    if (count) args.push('LIMIT', start, count)
    return await db.client.zrangebylex(args)
  }

  db.sortedSetUnionCard = async function (keys) {
    const temp = `temp_${keys.join('_')}`
    const multi = db.client.multi()
    multi.zunionstore([temp, keys.length].concat(keys))
    multi.zcard(temp)
    multi.del(temp)
    const results = await helpers.execBatch(multi)
    return results[1]
  }

  db.batchOfArrays = async function (commands) {
    return helpers.execBatch(db.client.multi(commands))
  }
}

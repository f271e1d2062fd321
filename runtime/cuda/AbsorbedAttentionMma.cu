//===- AbsorbedAttentionMma.cu - Absorbed attention on tensor cores -------===//
// Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
//
// A CTA of 8 warps has 64 rows and goes through blocks of 64 keys
// (FlashAttention, arXiv:2205.14135, for keys that are their own values):
//
//   S = Q K^T      the warps are 2 x 2 over 32 x 32 pieces of S, and 2 over the
//                  depth, whose halves are added through shared memory
//   P = exp2(S - row maximum), O = O * 2^(old maximum - new)
//   O = O + P V    a warp has all rows of an eighth of the columns
//
// Bounds: 8 accumulator registers hold 64 x 512 of O, so there is one CTA on a
// multiprocessor, and the next block's copy runs under this block's products.
// Per block the tensor cores have 8.9 MFLOP and shared memory gives 4200 cycles
// of 128 bytes: the two are about even.
//
// Keys are 16-bit, as the query is, or fp8. These stay fp8 in shared memory and
// become f16, exactly, on the way to the tensor cores; the query is brought to
// f16 with a power of two a row. Of fp8 with block scales a key's products are
// scaled a block of columns at a time, and its values relative to the largest
// scale met so far.
//
//===----------------------------------------------------------------------===//

#include "AbsorbedAttention.h"
#include "Launch.h"
#include "ptx.h"

#include <type_traits>

using namespace mla;
using namespace mla::cuda;

namespace {

constexpr int numThreads = 256;
constexpr int numWarps = numThreads / 32;
constexpr int tileRows = maxTileRows;
constexpr int maxLatent = maxSlotColumns;
constexpr int maxPe = 64;
constexpr int scaleBlock = 128; ///< Columns that share a scale.
constexpr int maxScales = maxLatent / scaleBlock;
constexpr int stepColumns = 16; ///< Of one matrix product.
constexpr float growth = 8;

/// What keys are: of the query's type, fp8 with a scale a tensor, or with one a
/// row and block of columns.
enum class Keys { Own, Fp8, Fp8Scaled };

/// The pieces of shared memory. Rows are split into units of 16 bytes, of which
/// unit u of row r lies at u ^ (r % 8): eight rows' units u are in different
/// banks.
template <bool IsFp8> struct Layout {
  static constexpr int latentPitch = maxLatent * (IsFp8 ? 1 : 2);
  static constexpr int queryPitch = maxLatent * 2;
  static constexpr int pePitch = maxPe * 2;

  static constexpr int query = 0;
  static constexpr int queryPe = query + tileRows * queryPitch;
  static constexpr int stages = queryPe + tileRows * pePitch;
  static constexpr int stagePe = blockKeys * latentPitch;
  static constexpr int stageScales = stagePe + blockKeys * pePitch;
  static constexpr int stageBytes =
      stageScales + (IsFp8 ? maxScales * blockKeys * 4 : 0);
  static constexpr int weights = stages + 2 * stageBytes;
  static constexpr int rows = weights + tileRows * blockKeys * 2;
  static constexpr int keyScales = rows + 2720;
  static constexpr int bytes =
      keyScales + (IsFp8 ? numWarps * blockKeys * 2 : 0);
};

/// What is kept of each row of the tile.
struct Rows {
  int token[tileRows]; ///< -1: none.
  int head[tileRows];
  int bound[tileRows];      ///< Of the positions that it sees.
  float factor[tileRows];   ///< Of S, to give logits.
  float peFactor[tileRows]; ///< Of the pe part's S, to give the latent's units.
  float maximum[2][tileRows]; ///< Of each half of a block's keys.
  float rescale[tileRows];
  float sum[2][tileRows];
  bool keySeen[2][blockKeys]; ///< With indices, of each stage.
  // Not of rows, but seldom needed: of the call and of the part.
  float logitScale, latentScale, peScale;
  int lanes;
  Cursor end;
  int reserved;
};
static_assert(sizeof(Rows) == 2720, "");

__device__ inline int swizzled(int row, int unit) {
  return (unit ^ (row & 7)) * 16;
}

/// Four fp8 to two pairs of f16.
__device__ inline void widenFp8(uint32_t bytes, uint32_t &low, uint32_t &high) {
#if __CUDA_ARCH__ >= 890
  asm("{\n"
      ".reg .b16 l, h;\n"
      "mov.b32 {l, h}, %2;\n"
      "cvt.rn.f16x2.e4m3x2 %0, l;\n"
      "cvt.rn.f16x2.e4m3x2 %1, h;\n"
      "}"
      : "=r"(low), "=r"(high)
      : "r"(bytes));
#else
  __half2_raw a = __nv_cvt_fp8x2_to_halfraw2(
      static_cast<__nv_fp8x2_storage_t>(bytes & 0xffff), __NV_E4M3);
  __half2_raw b = __nv_cvt_fp8x2_to_halfraw2(
      static_cast<__nv_fp8x2_storage_t>(bytes >> 16), __NV_E4M3);
  low = a.x | static_cast<uint32_t>(a.y) << 16;
  high = b.x | static_cast<uint32_t>(b.y) << 16;
#endif
}

/// `value`, of which the compiler no longer knows what it is: what depends on
/// it is worked out where it is used, and not kept in registers from block to
/// block.
__device__ inline int recompute(int value) {
  asm volatile("" : "+r"(value));
  return value;
}

/// 1 / x, to one unit in the last place; exact for powers of two.
__device__ inline float reciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

__device__ inline uint32_t multiplyHalves(uint32_t a, uint32_t b) {
  __half2 product = __hmul2(*reinterpret_cast<__half2 *>(&a),
                            *reinterpret_cast<__half2 *>(&b));
  return *reinterpret_cast<uint32_t *>(&product);
}

/// One CTA. `T` is what the tensor cores get of the latent.
template <typename T, Keys KeysAre> class AbsorbedMma {
public:
  static constexpr bool IsFp8 = KeysAre != Keys::Own;
  static constexpr bool HasScales = KeysAre == Keys::Fp8Scaled;
  using Shared = Layout<IsFp8>;

  __device__ AbsorbedMma(const AbsorbedParams &p, char *shared)
      : p(p), call(p), shared(shared),
        rows(*reinterpret_cast<Rows *>(shared + Shared::rows)),
        base(sharedAddress(shared)), thread(threadIdx.x) {
    recomputePlace();
  }

  __device__ void run() {
    float queryScale, latentScale, peScale;
    call.checkSequences();
    bool usable = call.isUsable(queryScale, latentScale, peScale);
    int real = usable ? call.realTokens() : 0;
    call.writeNothing(real, p.tokens);
    if (!usable)
      return;
    Split split = call.split();
    int lanes = split.lanes(), part = blockIdx.x / lanes;
    if (part >= split.parts())
      return;
    if (thread == 0) {
      rows.logitScale = p.scale * queryScale;
      rows.latentScale = latentScale;
      rows.peScale = peScale;
      rows.lanes = lanes;
      rows.end = split.start(part + 1);
    }
    __syncthreads();
    int limit = p.hasIndices ? real : p.seqs;
    for (Cursor at = split.start(part); at < rows.end && at.sequence >= 0 &&
                                        at.sequence < limit && at.item >= 0 &&
                                        at.block >= 0;) {
      if (enter(at))
        at = {at.sequence, at.item + 1, 0};
      else
        at = {at.sequence + 1, 0, 0};
    }
  }

private:
  /// Called at the beginning of each phase: no address of another phase stays
  /// in a register.
  __device__ void recomputePlace() {
    thread = recompute(thread);
    warp = thread / 32, lane = thread % 32;
    depthHalf = warp / 4, rowHalf = warp / 2 % 2, keyHalf = warp % 2;
  }

  /// Attends with the CTA's tile of item `at`; false where there is no such
  /// item.
  __device__ bool enter(const Cursor &at) {
    Sequence seq;
    int64_t numRows;
    int blocks;
    if (p.hasIndices) {
      batch = call.sequenceOf(at.sequence);
      if (batch < 0)
        return false;
      seq = call.sequence(batch);
      if (at.sequence < seq.tokenBegin || at.sequence >= seq.tokenEnd)
        return false;
      firstToken = at.sequence;
      numRows = p.heads;
      blocks = (p.topk + blockKeys - 1) / blockKeys;
    } else {
      batch = at.sequence;
      seq = call.sequence(batch);
      firstToken = seq.tokenBegin;
      numRows = static_cast<int64_t>(seq.tokenEnd - seq.tokenBegin) * p.heads;
      blocks = (seq.length + blockKeys - 1) / blockKeys;
    }
    int rowTiles = static_cast<int>((numRows + tileRows - 1) / tileRows);
    int lanes = rows.lanes;
    if (at.item >= Split::itemsOf(rowTiles, lanes))
      return false;
    Cursor end = rows.end;
    bool endsHere = end.sequence == at.sequence && end.item == at.item;
    int blockEnd = endsHere ? min(end.block, blocks) : blocks;
    int tile = at.item * lanes + static_cast<int>(blockIdx.x) % lanes;
    if (tile < rowTiles) {
      __syncthreads(); // the tile before is done with shared memory
      setRows(seq, numRows, tile);
      process(min(at.block, blockEnd), blockEnd, at.block == 0,
              blockEnd == blocks);
    }
    return true;
  }

  __device__ void process(int blockBegin, int blockEnd, bool begins,
                          bool ends) {
    int seen = blockEnd;
    if (!p.hasIndices)
      seen = min(blockEnd, (mostSeen + blockKeys - 1) / blockKeys);
    else if (mostSeen == 0)
      seen = blockBegin;
    loadQuery();
    clear();
    if (blockBegin < seen) {
      locate(blockBegin);
      startCopies(0);
      copyRest();
      if (blockBegin + 1 < seen)
        locate(blockBegin + 1);
    }
    int stage = 0;
    for (int block = blockBegin; block < seen; ++block, stage ^= 1) {
      waitForCopies<0>();
      __syncthreads();
      if (block + 1 < seen) {
        startCopies(stage ^ 1);
        if (block + 2 < seen)
          locate(block + 2);
      }
      attend(block, base + Shared::stages + stage * Shared::stageBytes, stage);
    }
    waitForCopies<0>();
    finish(begins && ends, 2 * blockIdx.x + (begins ? 1 : 0));
  }

  //===--- A tile's rows
  //---------------------------------------------------===//

  __device__ void setRows(const Sequence &seq, int64_t numRows, int tile) {
    int64_t first = static_cast<int64_t>(tile) * tileRows;
    rowsHere =
        static_cast<int>(min(numRows - first, static_cast<int64_t>(tileRows)));
    int bound = 0;
    bool exists = thread < rowsHere;
    if (thread < tileRows) {
      int64_t row = first + thread;
      int t = firstToken + static_cast<int>(row / p.heads);
      if (exists)
        bound = call.visible(seq, t);
      rows.token[thread] = exists ? t : -1;
      rows.head[thread] = static_cast<int>(row % p.heads);
      rows.bound[thread] = bound;
      rows.factor[thread] = rows.logitScale * rows.latentScale;
      rows.peFactor[thread] = rows.peScale / rows.latentScale;
    }
    // Rows that don't exist see nothing, and don't matter.
    int most = bound, least = exists ? bound : INT32_MAX;
    for (int step = 16; step > 0; step /= 2) {
      most = max(most, __shfl_xor_sync(~0u, most, step));
      least = min(least, __shfl_xor_sync(~0u, least, step));
    }
    int *exchange = reinterpret_cast<int *>(rows.maximum);
    if (thread < tileRows && lane == 0) {
      exchange[2 * warp] = most;
      exchange[2 * warp + 1] = least;
    }
    __syncthreads();
    mostSeen = max(exchange[0], exchange[2]);
    leastSeen = min(exchange[1], exchange[3]);
    __syncthreads();
  }

  /// The query's rows in units of 16 bytes as they are, or (for fp8 keys)
  /// through registers.
  __device__ void loadQuery() {
    if constexpr (!IsFp8) {
      copyQuery(Shared::query, Shared::queryPitch, 0, p.latentWidth);
      copyQuery(Shared::queryPe, Shared::pePitch, p.latentWidth, p.peWidth);
    } else {
      convertQuery();
    }
  }

  __device__ void copyQuery(int to, int pitch, int begin, int width) {
    int units = width / 8;
    for (int i = thread; i < tileRows * units; i += numThreads) {
      int row = i / units, unit = i % units, t = rows.token[row];
      const char *from =
          p.query.at(max(t, 0), rows.head[row]) + (begin + unit * 8) * 2;
      copyAsync(base + to + row * pitch + swizzled(row, unit), from, t >= 0);
    }
  }

  /// A warp brings a row to f16: times the power of two that puts its largest
  /// magnitude into [2^7, 2^8). Pairs of columns take the places in which the
  /// fp8 keys' come out (multiplySteps). A pe part that isn't fp8 keeps its
  /// type and order.
  __device__ void convertQuery() {
    if (p.query.dtype == MLA_DTYPE_F8E4M3FN)
      convertRows<uint2>();
    else
      convertRows<uint4>();
  }

  static constexpr int mostEighths = (maxLatent + maxPe + 255) / 256;

  /// `Eight` is what eight columns are loaded as. Of several rows all loads are
  /// under way before the first is used.
  template <typename Eight> __device__ void convertRows() {
    constexpr int rowsAtOnce = 4;
    int eighths = (p.latentWidth + p.peWidth) / 8;
    for (int first = warp; first < tileRows; first += rowsAtOnce * numWarps) {
      Eight loaded[rowsAtOnce][mostEighths];
#pragma unroll
      for (int r = 0; r < rowsAtOnce; ++r) {
        int row = first + r * numWarps;
        auto *from = reinterpret_cast<const Eight *>(
            p.query.at(max(rows.token[row], 0), rows.head[row]));
#pragma unroll
        for (int i = 0; i < mostEighths; ++i)
          loaded[r][i] = from[min(lane + i * 32, eighths - 1)];
      }
#pragma unroll
      for (int r = 0; r < rowsAtOnce; ++r)
        convertRow(first + r * numWarps, loaded[r]);
    }
  }

  template <typename Eight>
  __device__ void convertRow(int row, const Eight (&loaded)[mostEighths]) {
    bool peIsFp8 = p.pe.dtype == MLA_DTYPE_F8E4M3FN;
    int eighths = (p.latentWidth + p.peWidth) / 8;
    int scaled = (p.latentWidth + (peIsFp8 ? p.peWidth : 0)) / 8;
    bool exists = rows.token[row] >= 0;
    float values[mostEighths][8], largest = 0;
#pragma unroll
    for (int i = 0; i < mostEighths; ++i) {
      widenEight(loaded[i], values[i]);
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        values[i][j] = exists ? values[i][j] : 0;
        if (lane + i * 32 < (HasScales ? eighths : scaled))
          largest = fmaxf(largest, fabsf(values[i][j]));
      }
    }
    for (int step = 16; step > 0; step /= 2)
      largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, step));
    // The exponents' bits; infinite and tiny rows stay as they are.
    int exponent = static_cast<int>(__float_as_uint(largest) >> 23) - 127;
    bool usual = exponent > -100 && exponent < 100;
    int shift = usual ? 7 - exponent : 0;
    float up = __uint_as_float(static_cast<uint32_t>(127 + shift) << 23);
#pragma unroll
    for (int i = 0; i < mostEighths; ++i) {
      int eighth = lane + i * 32;
      if (eighth < scaled)
        storeReordered(row, eighth, values[i], up);
      else if (eighth < eighths)
        // Without scales of tensors the power of two is all that the two parts
        // differ by.
        storePe(row, eighth - scaled, values[i], HasScales ? up : 1);
    }
    if (lane == 0) {
      rows.factor[row] *=
          __uint_as_float(static_cast<uint32_t>(127 - shift) << 23);
      if (!peIsFp8)
        rows.peFactor[row] *= up;
    }
  }

  __device__ void widenEight(uint2 bytes, float (&values)[8]) const {
#pragma unroll
    for (int j = 0; j < 8; ++j)
      values[j] = widen(Fp8{static_cast<__nv_fp8_storage_t>(
          (j < 4 ? bytes.x : bytes.y) >> (j % 4 * 8))});
  }

  __device__ void widenEight(uint4 words, float (&values)[8]) const {
    const uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      float2 pair =
          __half22float2(*reinterpret_cast<const __half2 *>(&pairs[j]));
      bool isBF16 = p.query.dtype == MLA_DTYPE_BF16;
      values[2 * j] = isBF16 ? __uint_as_float(pairs[j] << 16) : pair.x;
      values[2 * j + 1] =
          isBF16 ? __uint_as_float(pairs[j] & 0xffff0000u) : pair.y;
    }
  }

  /// Words w of a step's eight go to w / 2 if even, else to 4 + w / 2: an
  /// eighth is half a step, and its words go to two pairs.
  __device__ void storeReordered(int row, int eighth, const float (&values)[8],
                                 float factor) {
    bool isPe = eighth * 8 >= p.latentWidth;
    int own = isPe ? eighth - p.latentWidth / 8 : eighth;
    char *to = shared + (isPe ? Shared::queryPe + row * Shared::pePitch
                              : Shared::query + row * Shared::queryPitch);
    uint32_t words[4];
#pragma unroll
    for (int j = 0; j < 4; ++j)
      words[j] =
          packPair<__half>(values[2 * j] * factor, values[2 * j + 1] * factor);
    // The step's lower unit has its even words, the upper one the odd.
    int unit = own / 2 * 2, place = own % 2 * 8;
    *reinterpret_cast<uint2 *>(to + swizzled(row, unit) + place) =
        make_uint2(words[0], words[2]);
    *reinterpret_cast<uint2 *>(to + swizzled(row, unit + 1) + place) =
        make_uint2(words[1], words[3]);
  }

  __device__ void storePe(int row, int eighth, const float (&values)[8],
                          float factor) {
    uint32_t words[4];
#pragma unroll
    for (int j = 0; j < 4; ++j)
      words[j] = p.pe.dtype == MLA_DTYPE_BF16
                     ? packPair<__nv_bfloat16>(values[2 * j] * factor,
                                               values[2 * j + 1] * factor)
                     : packPair<__half>(values[2 * j] * factor,
                                        values[2 * j + 1] * factor);
    *reinterpret_cast<uint4 *>(shared + Shared::queryPe +
                               row * Shared::pePitch + swizzled(row, eighth)) =
        make_uint4(words[0], words[1], words[2], words[3]);
  }

  __device__ void clear() {
#pragma unroll
    for (int m = 0; m < 4; ++m)
#pragma unroll
      for (int n = 0; n < 8; ++n)
#pragma unroll
        for (int i = 0; i < 4; ++i)
          o[m][n][i] = 0;
    maximum[0] = maximum[1] = minusInfinity();
    sum[0] = sum[1] = 0;
    valueScale = 0;
  }

  //===--- Keys
  //------------------------------------------------------------===//

  // Four threads copy a key's row. Its page is looked up a block ahead.

  __device__ void locate(int block) {
    int place = block * blockKeys + thread / 4;
    nextPosition = place;
    if (p.hasIndices)
      nextPosition =
          place < p.topk
              ? static_cast<int>(loadInt(p.indices, firstToken, place))
              : -1;
    nextSeen = nextPosition >= 0 && nextPosition < mostSeen;
    nextPage = nextSeen ? call.rawPage(batch, nextPosition) : 0;
  }

  /// Copies what is small of the key that was located, and leaves the latent's
  /// units to copySome().
  __device__ void startCopies(int stage) {
    recomputePlace();
    bool seen = nextSeen && call.pageExists(batch, nextPosition, nextPage);
    int64_t page = seen ? nextPage : 0;
    int64_t line = seen ? call.lineOf(nextPosition) : 0;
    int key = thread / 4, member = thread % 4;
    uint32_t to = base + Shared::stages + stage * Shared::stageBytes;
    unitsLeft = p.latentWidth * (IsFp8 ? 1 : 2) / 16 / 4;
    copyFrom = p.latent.at(page, line) + member * 16;
    copyTo = to + key * Shared::latentPitch + swizzled(key, member);
    copySeen = seen;
    if (p.peWidth > 0) {
      const char *from = p.pe.at(page, line);
      uint32_t row = to + Shared::stagePe + key * Shared::pePitch;
      int units = p.peWidth * elementSize(p.pe.dtype) / 16;
#pragma unroll
      for (int unit = member; unit < maxPe * 2 / 16; unit += 4)
        copyAsyncIf(unit < units, row + swizzled(key, unit), from + unit * 16,
                    seen);
    }
    if constexpr (HasScales)
      if (member < p.scales.width())
        copyAsync4(to + Shared::stageScales + (member * blockKeys + key) * 4,
                   p.scales.at(page, line, member), seen);
    if (p.hasIndices && member == 0)
      rows.keySeen[stage][key] = seen;
  }

  /// Copies up to `count` of the thread's units. A few at a time, between
  /// products, so that neither waits for the other.
  __device__ void copySome(int count) {
#pragma unroll
    for (int i = 0; i < count; ++i) {
      --unitsLeft;
      // Rows are aligned to their pitch: a unit is found by exclusive or.
      copyAsyncIf(unitsLeft >= 0, copyTo ^ (unitsLeft * 64),
                  copyFrom + unitsLeft * 64, copySeen);
    }
  }

  __device__ void copyRest() {
    while (unitsLeft > 0)
      copySome(1);
    commitCopies();
  }

  //===--- A block of keys
  //-------------------------------------------------===//

  __device__ void attend(int block, uint32_t stage, int index) {
    recomputePlace();
    float s[2][4][4] = {};
    multiplyKeys(s, stage);
    copyRest();
    __syncthreads(); // the pe part is done with, and gives room
    recomputePlace();
    addDepthHalves(s, stage);
    if (!p.hasIndices && (block + 1) * blockKeys > leastSeen)
      dropUnseenNumbers(block, stage);
    // From here on a warp has 16 rows and 32 keys.
    float (&logits)[4][4] = s[0];
    int row = rowHalf * 32 + depthHalf * 16 + lane / 4;
    toLogits(logits, row, block, index);
    bool changed = toWeights(logits, row);
    if constexpr (HasScales)
      scaleValues(stage);
    bool rescale = __syncthreads_or(changed);
    recomputePlace();
    multiplyValues(stage, rescale);
  }

  /// S of the warp's 32 rows, 32 keys and half of the depth.
  __device__ void multiplyKeys(float (&s)[2][4][4], uint32_t stage) {
    int steps = p.latentWidth / stepColumns, peSteps = p.peWidth / stepColumns;
    int half = (steps + peSteps + 1) / 2;
    half += half % 2;
    if (HasScales) // Whole blocks.
      half = (p.scales.width() + 1) / 2 * (scaleBlock / stepColumns);
    half = min(half, steps);
    if (rowHalf * 32 >= rowsHere)
      return;
    int begin = depthHalf ? half : 0, end = depthHalf ? steps : half;
    // The pe part evens the halves out; with whole blocks in each it is halved
    // too, if its halves are pairs of steps.
    int peBegin = depthHalf ? 0 : peSteps, peEnd = peSteps;
    if (HasScales && peSteps == 4)
      peBegin = depthHalf ? 2 : 0, peEnd = depthHalf ? 4 : 2;
    if constexpr (HasScales)
      multiplyScaled(s, stage, begin, end);
    if (peBegin < peEnd)
      multiplyPe(s, stage + Shared::stagePe, peBegin, peEnd);
    if constexpr (!HasScales)
      multiplySteps<T, IsFp8, Shared::queryPitch, Shared::latentPitch>(
          s, base + Shared::query, stage, begin, end);
  }

  /// What a step's products take: of the query's rows; of the keys, as they lie
  /// in shared memory and as they are multiplied.
  template <bool KeysAreFp8> struct Fragments {
    uint32_t a[2][4];
    uint32_t b[KeysAreFp8 ? 1 : 2][4];
    uint32_t wide[KeysAreFp8 ? 4 : 1][2];

    /// Of fp8 a lane has four columns of a key: the first two are taken for the
    /// step's lower half, the others for the upper; the query's are in that
    /// order too.
    __device__ void widen() {
      if constexpr (KeysAreFp8)
#pragma unroll
        for (int n = 0; n < 4; ++n)
          widenFp8(b[0][n], wide[n][0], wide[n][1]);
    }
  };

  /// Adds the products of the steps [begin, end), an even number; each step's
  /// fragments are loaded during the one before. Rows are aligned to their
  /// pitch and begin with column 0, so that a step's units are found by
  /// exclusive or.
  template <typename U, bool KeysAreFp8, int QueryPitch, int KeyPitch>
  __device__ void multiplySteps(float (&s)[2][4][4], uint32_t query,
                                uint32_t keys, int begin, int end) {
    int row = rowHalf * 32 + lane % 16;
    uint32_t rowAddress = query + row * QueryPitch + swizzled(row, lane / 16);
    int key = keyHalf * 32 + (KeysAreFp8 ? lane : lane % 8 + lane / 16 * 8);
    uint32_t keyAddress =
        keys + key * KeyPitch + swizzled(key, KeysAreFp8 ? 0 : lane / 8 % 2);
    auto load = [&](Fragments<KeysAreFp8> &to, int step) {
      uint32_t at = keyAddress ^ (step * (KeysAreFp8 ? 16 : 32));
      loadMatrices(to.b[0], at);
      if constexpr (!KeysAreFp8)
        loadMatrices(to.b[1], at + 16 * KeyPitch);
      at = rowAddress ^ (step * 32);
      loadMatrices(to.a[0], at);
      loadMatrices(to.a[1], at + 16 * QueryPitch);
    };
    auto multiply = [&](const Fragments<KeysAreFp8> &from) {
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        uint32_t low, high;
        if constexpr (KeysAreFp8) {
          low = from.wide[n][0], high = from.wide[n][1];
        } else {
          low = from.b[n / 2][n % 2 * 2];
          high = from.b[n / 2][n % 2 * 2 + 1];
        }
        multiplyAdd<U>(s[0][n], from.a[0], low, high);
        multiplyAdd<U>(s[1][n], from.a[1], low, high);
      }
    };
    if (begin >= end)
      return;
    Fragments<KeysAreFp8> even, odd;
    load(even, begin);
    even.widen();
    int step = begin;
    for (; step + 2 < end; step += 2) {
      load(odd, step + 1);
      multiply(even);
      odd.widen();
      copySome(2);
      load(even, step + 2);
      multiply(odd);
      even.widen();
    }
    load(odd, step + 1);
    multiply(even);
    odd.widen();
    multiply(odd);
  }

  __device__ void multiplyPe(float (&s)[2][4][4], uint32_t keys, int begin,
                             int end) {
    uint32_t query = base + Shared::queryPe;
    const int pitch = Shared::pePitch;
    if constexpr (!IsFp8) {
      multiplySteps<T, false, pitch, pitch>(s, query, keys, begin, end);
    } else {
      if (p.pe.dtype == MLA_DTYPE_F8E4M3FN)
        multiplySteps<__half, true, pitch, pitch>(s, query, keys, begin, end);
      else if (p.pe.dtype == MLA_DTYPE_F16)
        multiplySteps<__half, false, pitch, pitch>(s, query, keys, begin, end);
      else
        multiplySteps<__nv_bfloat16, false, pitch, pitch>(s, query, keys, begin,
                                                          end);
      if constexpr (!HasScales)
        toLatentUnits(s);
    }
  }

  /// Rows of the pe part's sums, to be gone on with by the latent's.
  __device__ void toLatentUnits(float (&s)[2][4][4]) {
#pragma unroll
    for (int m = 0; m < 2; ++m)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        float factor = rows.peFactor[rowHalf * 32 + m * 16 + lane / 4 + i * 8];
#pragma unroll
        for (int n = 0; n < 4; ++n) {
          s[m][n][2 * i] *= factor;
          s[m][n][2 * i + 1] *= factor;
        }
      }
  }

  /// A key's sum is kept in units of the scale of the block of columns that is
  /// being added.
  __device__ void multiplyScaled(float (&s)[2][4][4], uint32_t stage, int begin,
                                 int end) {
    const int each = scaleBlock / stepColumns;
    float unit[4][2];
    for (int step = begin; step < end; step += each) {
      const float *scales =
          scalesOf(stage, step / each) + keyHalf * 32 + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          float next = scales[n * 8 + i];
          if (step > begin)
            multiplyKey(s, n, i, unit[n][i] * reciprocal(next));
          unit[n][i] = next;
        }
      multiplySteps<T, true, Shared::queryPitch, Shared::latentPitch>(
          s, base + Shared::query, stage, step, step + each);
    }
    if (begin < end)
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int i = 0; i < 2; ++i)
          multiplyKey(s, n, i, unit[n][i]);
  }

  /// The lane's sums of one key.
  __device__ void multiplyKey(float (&s)[2][4][4], int n, int i, float factor) {
    s[0][n][i] *= factor, s[0][n][i + 2] *= factor;
    s[1][n][i] *= factor, s[1][n][i + 2] *= factor;
  }

  __device__ const float *scalesOf(uint32_t stage, int block) const {
    return reinterpret_cast<const float *>(shared + (stage - base) +
                                           Shared::stageScales) +
           block * blockKeys;
  }

  /// Each of the two warps with one piece of S sends the other one half of the
  /// rows, and adds up the other half, into s[0].
  __device__ void addDepthHalves(float (&s)[2][4][4], uint32_t stage) {
    auto area = [&](int warp) {
      uint32_t from =
          warp < 4 ? base + Shared::weights : stage + Shared::stagePe;
      return reinterpret_cast<float4 *>(shared + (from - base) +
                                        warp % 4 * 2048) +
             lane;
    };
    float4 *to = area(warp);
    const float4 *from = area(warp ^ 4);
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      // Chosen by value: registers have no addresses.
      float4 sent;
      sent.x = depthHalf ? s[0][n][0] : s[1][n][0];
      sent.y = depthHalf ? s[0][n][1] : s[1][n][1];
      sent.z = depthHalf ? s[0][n][2] : s[1][n][2];
      sent.w = depthHalf ? s[0][n][3] : s[1][n][3];
      to[n * 32] = sent;
    }
    syncThreads(1 + warp % 4, 64);
#pragma unroll
    for (int n = 0; n < 4; ++n) {
      float4 other = from[n * 32];
      s[0][n][0] = (depthHalf ? s[1][n][0] : s[0][n][0]) + other.x;
      s[0][n][1] = (depthHalf ? s[1][n][1] : s[0][n][1]) + other.y;
      s[0][n][2] = (depthHalf ? s[1][n][2] : s[0][n][2]) + other.z;
      s[0][n][3] = (depthHalf ? s[1][n][3] : s[0][n][3]) + other.w;
    }
  }

  /// A weight of 0 doesn't keep a NaN away. Keys that some rows don't see give
  /// those that do their NaNs in the logits: in the values they can be zeros.
  __device__ void dropUnseenNumbers(int block, uint32_t stage) {
    int first = max(leastSeen - block * blockKeys, 0);
    const int units = Shared::latentPitch / 16;
    for (int i = thread + first * units; i < blockKeys * units;
         i += numThreads) {
      uint4 *unit = reinterpret_cast<uint4 *>(shared + (stage - base)) + i;
      uint4 value = *unit;
      value.x = finiteParts(value.x), value.y = finiteParts(value.y);
      value.z = finiteParts(value.z), value.w = finiteParts(value.w);
      *unit = value;
    }
  }

  /// `word` with zeros for the elements that are no finite number.
  __device__ static uint32_t finiteParts(uint32_t word) {
    if constexpr (IsFp8) {
      uint32_t nan = __vcmpeq4(word & 0x7f7f7f7fu, 0x7f7f7f7fu);
      return word & ~nan;
    } else {
      const uint32_t exponents =
          std::is_same<T, __half>::value ? 0x7c007c00u : 0x7f807f80u;
      return word & ~__vcmpeq2(word & exponents, exponents);
    }
  }

  /// Logits of the keys that are seen; -infinity of the others. Leaves the
  /// rows' maxima over the warp's keys in shared memory.
  __device__ void toLogits(float (&s)[4][4], int row, int block, int index) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float factor = rows.factor[row + i * 8];
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        s[n][2 * i] *= factor;
        s[n][2 * i + 1] *= factor;
      }
    }
    if (p.hasIndices || (block + 1) * blockKeys > leastSeen)
      hideUnseen(s, row, block, index);
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      float most = fmaxf(s[0][2 * i], s[0][2 * i + 1]);
#pragma unroll
      for (int n = 1; n < 4; ++n)
        most = fmaxf(most, fmaxf(s[n][2 * i], s[n][2 * i + 1]));
      most = fmaxf(most, __shfl_xor_sync(~0u, most, 1));
      most = fmaxf(most, __shfl_xor_sync(~0u, most, 2));
      if (lane % 4 == 0)
        rows.maximum[keyHalf][row + i * 8] = most;
    }
    __syncthreads();
  }

  __device__ void hideUnseen(float (&s)[4][4], int row, int block, int index) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      int bound = rows.bound[row + i * 8] - block * blockKeys;
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int j = 0; j < 2; ++j) {
          int key = keyHalf * 32 + n * 8 + lane % 4 * 2 + j;
          bool seen = p.hasIndices ? rows.keySeen[index][key] : key < bound;
          if (!seen)
            s[n][2 * i + j] = minusInfinity();
        }
    }
  }

  /// Writes the weights for the second product; whether the sums so far must be
  /// rescaled. The maximum that logits are taken relative to follows the true
  /// one only when that is 2^growth times larger: weights up to that lose
  /// nothing, and most blocks leave the sums alone.
  __device__ bool toWeights(float (&s)[4][4], int row) {
    bool changed = false;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      int own = row + i * 8;
      float most = fmaxf(rows.maximum[0][own], rows.maximum[1][own]);
      float next = most > maximum[i] + growth ? most : maximum[i];
      float top = next == minusInfinity() ? 0 : next;
      float rescale = exp2Approximate(maximum[i] - top);
      changed |= rescale != 1;
      float added = 0;
#pragma unroll
      for (int n = 0; n < 4; ++n) {
        float low = exp2Approximate(s[n][2 * i] - top);
        float high = exp2Approximate(s[n][2 * i + 1] - top);
        added += low + high;
        *reinterpret_cast<uint32_t *>(shared + Shared::weights +
                                      own * (blockKeys * 2) +
                                      swizzled(own, keyHalf * 4 + n) +
                                      lane % 4 * 4) = packPair<T>(low, high);
      }
      sum[i] = sum[i] * rescale + added;
      maximum[i] = next;
      if (keyHalf == 0 && lane % 4 == 0)
        rows.rescale[own] = rescale;
    }
    return changed;
  }

  /// Columns of the output that a warp has, in eights.
  __device__ int eighths() const {
    int each = (p.latentWidth + 63) / 64;
    // fp8 values come 32 columns at a time.
    return IsFp8 ? (each + 3) / 4 * 4 : each;
  }

  __device__ void multiplyValues(uint32_t stage, bool rescale) {
    int count = eighths(), first = warp * count * 8;
    if (first >= p.latentWidth)
      return;
    float unit = HasScales ? valueUnit : 1;
    if (rescale || unit != 1) {
#pragma unroll
      for (int m = 0; m < 4; ++m)
#pragma unroll
        for (int i = 0; i < 2; ++i) {
          float factor = rows.rescale[m * 16 + lane / 4 + i * 8] * unit;
#pragma unroll
          for (int n = 0; n < 8; ++n) {
            o[m][n][2 * i] *= factor;
            o[m][n][2 * i + 1] *= factor;
          }
        }
    }
    // With constants the inner loops have no branches.
    if (rowsHere > 32 && count == 8)
      multiplyRows<4>(stage, 8, first);
    else if (rowsHere > 32)
      multiplyRows<4>(stage, count, first);
    else if (rowsHere > 16)
      multiplyRows<2>(stage, count, first);
    else
      multiplyRows<1>(stage, count, first);
  }

  /// Of the first `M` sixteens of rows.
  template <int M>
  __device__ __forceinline__ void multiplyRows(uint32_t stage, int count,
                                               int first) {
    int row = lane % 16;
    uint32_t weights = base + Shared::weights + row * (blockKeys * 2) +
                       swizzled(row, lane / 16);
#pragma unroll
    for (int step = 0; step < blockKeys / stepColumns; ++step) {
      uint32_t a[M][4];
#pragma unroll
      for (int m = 0; m < M; ++m)
        loadMatrices(a[m], (weights ^ (step * 32)) + m * 16 * (blockKeys * 2));
      if constexpr (HasScales) {
        uint32_t low = keyScales()[step * 8 + lane % 4];
        uint32_t high = keyScales()[step * 8 + 4 + lane % 4];
#pragma unroll
        for (int m = 0; m < M; ++m) {
          a[m][0] = multiplyHalves(a[m][0], low);
          a[m][1] = multiplyHalves(a[m][1], low);
          a[m][2] = multiplyHalves(a[m][2], high);
          a[m][3] = multiplyHalves(a[m][3], high);
        }
      }
      if constexpr (IsFp8)
        multiplyFp8Values<M>(stage, step, count, first, a);
      else
        multiplyOwnValues<M>(stage, step, count, first, a);
    }
  }

  template <int M>
  __device__ void multiplyColumn(int n, const uint32_t (&a)[M][4], uint32_t b0,
                                 uint32_t b1) {
#pragma unroll
    for (int m = 0; m < M; ++m)
      multiplyAdd<T>(o[m][n], a[m], b0, b1);
  }

  template <int M>
  __device__ __forceinline__ void multiplyOwnValues(uint32_t stage, int step,
                                                    int count, int first,
                                                    const uint32_t (&a)[M][4]) {
    int key = lane % 16;
    uint32_t keys = stage + key * Shared::latentPitch;
#pragma unroll
    for (int n = 0; n < 8; n += 2) {
      if (n >= count)
        break;
      uint32_t b[4];
      loadMatricesTransposed(b, keys +
                                    swizzled(key, first / 8 + n + lane / 16) +
                                    step * stepColumns * Shared::latentPitch);
      multiplyColumn<M>(n, a, b[0], b[1]);
      if (n + 1 < count)
        multiplyColumn<M>(n + 1, a, b[2], b[3]);
    }
  }

  /// A transposed pair of bytes is two columns of one key: the even columns of
  /// 16 make one product's, the odd ones the next one's.
  template <int M>
  __device__ __forceinline__ void multiplyFp8Values(uint32_t stage, int step,
                                                    int count, int first,
                                                    const uint32_t (&a)[M][4]) {
    int key = lane % 16;
    uint32_t keys = stage + key * Shared::latentPitch;
#pragma unroll
    for (int n = 0; n < 8; n += 4) {
      if (n >= count)
        break;
      uint32_t bytes[4], b[4][2];
      loadMatricesTransposed(
          bytes, keys + swizzled(key, (first + n * 8) / 16 + lane / 16) +
                     step * stepColumns * Shared::latentPitch);
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        // Keys 0 to 7 or 8 to 15, and one or the other 16 columns.
        uint32_t even, odd;
        widenFp8(__byte_perm(bytes[i], 0, 0x3120), even, odd);
        b[i / 2 * 2][i % 2] = even;
        b[i / 2 * 2 + 1][i % 2] = odd;
      }
#pragma unroll
      for (int i = 0; i < 4; ++i)
        multiplyColumn<M>(n + i, a, b[i][0], b[i][1]);
    }
  }

  /// Of the block of columns that has the warp's: each key's scale relative to
  /// the largest one met so far, in which the sums are. The weights take it on.
  __device__ void scaleValues(uint32_t stage) {
    int first = warp * eighths() * 8;
    if (first >= p.latentWidth)
      return;
    const float *scales = scalesOf(stage, first / scaleBlock);
    float low = scales[2 * lane], high = scales[2 * lane + 1];
    float most = fmaxf(low, high);
    for (int step = 16; step > 0; step /= 2)
      most = fmaxf(most, __shfl_xor_sync(~0u, most, step));
    valueUnit = 1;
    if (most > valueScale) {
      valueUnit = valueScale / most;
      valueScale = most;
    }
    float inverse = valueScale != 0 ? reciprocal(valueScale) : 0;
    keyScales()[lane] = packPair<__half>(low * inverse, high * inverse);
    __syncwarp();
  }

  /// Of the warp: a pair of keys each.
  __device__ uint32_t *keyScales() const {
    return reinterpret_cast<uint32_t *>(shared + Shared::keyScales) + warp * 32;
  }

  //===--- The result
  //------------------------------------------------------===//

  __device__ void finish(bool whole, int slot) {
    int own = rowHalf * 32 + depthHalf * 16 + lane / 4;
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      sum[i] += __shfl_xor_sync(~0u, sum[i], 1);
      sum[i] += __shfl_xor_sync(~0u, sum[i], 2);
      if (lane % 4 == 0) {
        rows.sum[keyHalf][own + i * 8] = sum[i];
        rows.rescale[own + i * 8] = maximum[i];
      }
    }
    __syncthreads();
    float unit = rows.latentScale;
    if (HasScales)
      unit = valueScale;
    int count = eighths(), first = warp * count * 8;
    float *state = p.slots + slot * slotFloats;
#pragma unroll
    for (int m = 0; m < 4; ++m)
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        int row = m * 16 + lane / 4 + i * 8;
        int t = rows.token[row], h = rows.head[row];
        if (t < 0)
          continue;
        float total = rows.sum[0][row] + rows.sum[1][row];
        float lse =
            total != 0 ? rows.rescale[row] + log2f(total) : minusInfinity();
        float factor = total != 0 ? unit / total : 0, sinkFactor = 1;
        if (whole)
          lse = call.addSink(h, lse, sinkFactor);
        factor *= sinkFactor;
        if (warp == 0 && lane % 4 == 0) {
          if (whole)
            call.storeLse(t, h, lse);
          else
            state[maxTileRows * maxSlotColumns + row] = lse;
        }
#pragma unroll
        for (int n = 0; n < 8; ++n) {
          // Even columns of 16 are in one product, odd ones in the next.
          int column = IsFp8 ? first + n / 2 * 16 + lane % 4 * 4 + n % 2
                             : first + n * 8 + lane % 4 * 2;
          int other = column + (IsFp8 ? 2 : 1);
          if (n >= count || column >= p.latentWidth)
            continue;
          float low = o[m][n][2 * i] * factor,
                high = o[m][n][2 * i + 1] * factor;
          if (!whole) {
            state[row * maxSlotColumns + column] = low;
            state[row * maxSlotColumns + other] = high;
          } else {
            storeElement(p.o.at(t, h, column), p.o.dtype, low);
            storeElement(p.o.at(t, h, other), p.o.dtype, high);
          }
        }
      }
  }

  const AbsorbedParams &p;
  const AbsorbedCall call;
  char *const shared;
  Rows &rows;
  const uint32_t base; ///< Of shared memory.
  int thread, warp, lane;
  int depthHalf, rowHalf, keyHalf; ///< The warp's share of S.

  int batch, firstToken; ///< Of the sequence, or of the token with indices.

  // The tile.
  int rowsHere, mostSeen, leastSeen;
  float o[4][8][4];
  float maximum[2], sum[2]; ///< Of the rows whose weights the thread computes.
  // With block scales: the unit of `o`, and what brings it to this block's.
  float valueScale, valueUnit;

  // The key that the thread copies next.
  int nextPosition, nextPage;
  bool nextSeen;
  // The one that it copies now.
  const char *copyFrom;
  uint32_t copyTo;
  int unitsLeft = 0;
  bool copySeen;
};

template <typename T, Keys KeysAre>
__global__ void __launch_bounds__(numThreads, 1)
    absorbedMma(const __grid_constant__ AbsorbedParams p) {
  extern __shared__ __align__(1024) char shared[];
  AbsorbedMma<T, KeysAre>(p, shared).run();
}

} // namespace

namespace {

/// The kernel that a call takes; null where there is none.
using Kernel = void (*)(AbsorbedParams);

Kernel kernelFor(uint32_t latentDtype, bool hasScales) {
  switch (latentDtype) {
  case MLA_DTYPE_BF16:
    return absorbedMma<__nv_bfloat16, Keys::Own>;
  case MLA_DTYPE_F16:
    return absorbedMma<__half, Keys::Own>;
  default:
    return hasScales ? absorbedMma<__half, Keys::Fp8Scaled>
                     : absorbedMma<__half, Keys::Fp8>;
  }
}

int sharedBytes(uint32_t latentDtype) {
  return latentDtype == MLA_DTYPE_F8E4M3FN ? Layout<true>::bytes
                                           : Layout<false>::bytes;
}

bool is16Bit(uint32_t dtype) {
  return dtype == MLA_DTYPE_BF16 || dtype == MLA_DTYPE_F16;
}

} // namespace

bool mla::cuda::fitsAbsorbedMma(mla_context &ctx,
                                const mla_absorbed_attention_params &params) {
  Tensor<3> query(params.query), latent(params.cache_latent),
      pe(params.cache_pe);
  bool isFp8 = latent.dtype == MLA_DTYPE_F8E4M3FN;
  // 16-bit parts are all of one type; fp8 goes with any but f32.
  bool types = isFp8 ? query.dtype != MLA_DTYPE_F32 && pe.dtype != MLA_DTYPE_F32
                     : is16Bit(latent.dtype) && query.dtype == latent.dtype &&
                           (!params.cache_pe || pe.dtype == latent.dtype);
  bool widths = latent.width() % 64 == 0 && latent.width() <= maxLatent &&
                pe.width() % (2 * stepColumns) == 0 && pe.width() <= maxPe;
  return types && widths && query.hasVectors(16) && latent.hasVectors(16) &&
         pe.hasVectors(16) &&
         stateOf(ctx).maxSharedBytes >= sharedBytes(latent.dtype);
}

mla_status mla::cuda::launchAbsorbedMma(mla_context &ctx,
                                        const AbsorbedParams &params) {
  return launch(ctx, "absorbed_attention",
                kernelFor(params.latent.dtype, params.scales.data != nullptr),
                params.shape.numCTAs, numThreads,
                sharedBytes(params.latent.dtype), params);
}

cudaError_t mla::cuda::loadAbsorbedMma(const State &state) {
  for (uint32_t dtype : {MLA_DTYPE_BF16, MLA_DTYPE_F16, MLA_DTYPE_F8E4M3FN})
    for (bool hasScales : {false, true})
      if (state.maxSharedBytes >= sharedBytes(dtype))
        if (cudaError_t error =
                allowShared(kernelFor(dtype, hasScales), sharedBytes(dtype)))
          return error;
  return cudaSuccess;
}

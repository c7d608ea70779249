/*
 * Depthwise 3x3 with multiplier 1, four channels at a time over the whole map.
 *
 * Two lines of the input at a time are laid into a ring as pairs of int16, where a sweep
 * (hil_depthwise_sweeps_dsp_s8.h) finds three lines with two loads for each place.  A line runs along either
 * axis; the compiler takes the longer one where it may.  Outputs gather in scratch, four channels to a word,
 * and go to their pixels at the end of a line: by then all bytes that they overwrite have been laid into the
 * ring, so the output may start where the input starts.
 */
#include "hil_depthwise_weights_dsp_s8.h"
#include "hil_kernels.h"

enum { CHANNELS = HIL_DEPTHWISE_GROUP, COLUMN_WORDS = 8 };

/* Four channels of one place of two lines, into one slot of the ring. */
static inline void lay_column(const int8_t *first, const int8_t *second, uint32_t *slot) {
  uint32_t pairs[4];
  hil_depthwise_pairs(hil_load_word(first), hil_load_word(second), pairs);
  slot[0] = pairs[0];
  slot[2] = pairs[1];
  slot[4] = pairs[2];
  slot[6] = pairs[3];
}

/* Lines 2 `pair` - pad_line and the one after it; what lies outside of the input is padding. */
static void lay_pair(const int8_t *input, const hil_depthwise_conv2d_dsp_params *params, int32_t pair,
                     uint32_t *ring) {
  uint32_t *slot = ring + params->pad * COLUMN_WORDS + (pair & 1);
  const uint32_t *const end = slot + params->input_length * COLUMN_WORDS;
  const int32_t line = 2 * pair - params->pad_line;
  const int8_t *first = (const int8_t *)&params->padding;
  const int8_t *second = first;
  int32_t first_step = 0;
  int32_t second_step = 0;
  if (line >= 0 && line < params->input_lines) {
    first = input + line * params->input_line_step;
    first_step = params->input_step;
  }
  if (line + 1 >= 0 && line + 1 < params->input_lines) {
    second = input + (line + 1) * params->input_line_step;
    second_step = params->input_step;
  }
  if (first_step == 0 && second_step == 0) {
    uint32_t pairs[4];
    hil_depthwise_pairs(params->padding, params->padding, pairs);
    for (; slot != end; slot += COLUMN_WORDS) {
      slot[0] = pairs[0];
      slot[2] = pairs[0];
      slot[4] = pairs[0];
      slot[6] = pairs[0];
    }
    return;
  }
  if (params->input_length & 1) {
    lay_column(first, second, slot);
    first += first_step;
    second += second_step;
    slot += COLUMN_WORDS;
  }
  for (; slot != end; slot += 2 * COLUMN_WORDS) {
    lay_column(first, second, slot);
    first += first_step;
    second += second_step;
    lay_column(first, second, slot + COLUMN_WORDS);
    first += first_step;
    second += second_step;
  }
}

/* What the weights of one channel add to its blocks: the two lines before the single one in `before`, the two
 * behind it in `behind`, which may be the same block where nobody needs the latter. */
static void expand_channel(const int8_t *stream, const hil_depthwise_conv2d_dsp_params *params,
                           hil_depthwise_block *before, hil_depthwise_block *behind) {
  const hil_depthwise_channel channel = hil_depthwise_read(stream);
  behind->both[0] = channel.bc[0];
  behind->both[1] = channel.bc[1];
  behind->both[2] = channel.bc[2];
  behind->single_01 = hil_pack_low(channel.ab[0], channel.ab[1]);
  behind->single_2 = (uint16_t)channel.ab[2];
  before->both[0] = channel.ab[0];
  before->both[1] = channel.ab[1];
  before->both[2] = channel.ab[2];
  before->single_01 = channel.c_01;
  before->single_2 = (uint16_t)channel.c_2;
  int32_t bias = channel.bias;
  if (params->sweeps->block_bytes == sizeof(hil_depthwise_block)) {
    before->signed_bias = bias;
    behind->signed_bias = bias;
    bias = channel.correction;
  }
  before->bias = bias;
  behind->bias = bias;
  before->addend = params->addend + channel.addend;
  behind->addend = before->addend;
  before->multiplier = channel.multiplier;
  behind->multiplier = channel.multiplier;
}

/* One line of outputs, four channels each, to their pixels. */
__attribute__((noinline)) static void put_line(const uint32_t *line, int8_t *output, int32_t step,
                                               int32_t count) {
  for (; count >= 4; count -= 4) {
    const uint32_t a = line[0];
    const uint32_t b = line[1];
    const uint32_t c = line[2];
    const uint32_t d = line[3];
    hil_store_word(output, a);
    hil_store_word(output + step, b);
    output += 2 * step;
    hil_store_word(output, c);
    hil_store_word(output + step, d);
    output += 2 * step;
    line += 4;
  }
  for (; count > 0; --count) {
    hil_store_word(output, *line++);
    output += step;
  }
}

void hil_depthwise_conv2d_dsp_s8(const int8_t *input, const hil_depthwise_conv2d_dsp_params *params,
                                 int8_t *output, void *scratch) {
  const int32_t block = params->sweeps->block_bytes;
  const int32_t sides = params->stride == 1 ? 2 : 1; /* lines of outputs for each pair of lines */
  int8_t *const blocks = scratch;
  int8_t *const behind = blocks + (sides - 1) * CHANNELS * block;
  uint32_t *const ring = (void *)(behind + CHANNELS * block);
  uint32_t *const line = ring + params->columns * COLUMN_WORDS;

  for (uint32_t *word = ring; word != line; ++word) {
    *word = ((params->padding ^ HIL_DEPTHWISE_SIGNS) << 2) & HIL_DEPTHWISE_FOURFOLD;
  }
  for (int32_t i = 0; i < sides * CHANNELS; ++i) {
    hil_depthwise_block *const own = (void *)(blocks + i * block);
    const int8_t *const first = i < CHANNELS ? blocks : behind;
    own->turns = params->turns;
    own->columns = HIL_SWEEP_PLACE(first, ring + 2 * (i % CHANNELS));
    own->outputs = HIL_SWEEP_PLACE(first, (int8_t *)line + i % CHANNELS);
  }

  const int8_t *channel = params->channels;
  for (int32_t group = 0; group < params->groups; ++group) {
    for (int32_t i = 0; i < CHANNELS; ++i) {
      expand_channel(channel, params, (void *)(blocks + i * block), (void *)(behind + i * block));
      channel += HIL_DEPTHWISE_CHANNEL_BYTES;
    }
    int8_t *to = output;
    lay_pair(input, params, 0, ring);
    for (int32_t pair = 0, left = params->output_lines; left > 0; ++pair) {
      lay_pair(input, params, pair + 1, ring);
      for (int32_t side = 0; side < sides && left > 0; ++side, --left) {
        const int8_t *const own = side ? behind : blocks;
        params->sweeps->sweep[side][pair & 1](own, own + CHANNELS * block);
        put_line(line, to, params->output_step, params->output_length);
        to += params->output_line_step;
      }
    }
    input += CHANNELS;
    output += CHANNELS;
  }
}

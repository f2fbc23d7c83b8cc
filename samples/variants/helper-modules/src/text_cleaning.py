import string


def words_of(text):
    return text.lower().translate(str.maketrans("", "", string.punctuation)).split()

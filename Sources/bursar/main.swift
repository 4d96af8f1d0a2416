



print("bursar")
